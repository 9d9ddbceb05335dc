"""What serves never loads TensorFlow, which takes seconds and hundreds of megabytes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

CHECK = """
import sys
heavy = {name.split(".")[0] for name in sys.modules} & {"tensorflow", "keras", "torch", "jax"}
assert not heavy, f"loaded: {heavy}"
"""

DRAWING = """
import sys
sys.path.insert(0, "tests")
from handwriting import centred, on_white, written
picture = on_white(centred(written("4")))
"""

USES = {
    "recognizer": """
from digitlab.recognizer import champion
assert champion().recognize(picture).text == "4"
""",
    "terminal": """
import cv2, os, tempfile
from digitlab.cli import main
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "4.png")
    assert cv2.imwrite(file, picture)
    assert main(["recognize", "--json", file]) == 0
""",
    "page": """
import base64, cv2
from streamlit.testing.v1 import AppTest
packed = base64.b64encode(cv2.imencode(".png", picture)[1]).decode()
page = AppTest.from_file("pages/recognize.py", default_timeout=60)
drawing = {"raw": {"objects": [{}]}, "data": f"data:image/png;base64,{packed}"}
page.session_state["canvas-0"] = {"drawing": drawing}
page.run()
assert not page.exception, page.exception
said = " ".join(part.proto.body for part in page.get("html"))
assert ">4</div>" in said, said
""",
}


def run(code: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("use", USES)
def test_reading_never_loads_tensorflow(use):
    done = run(DRAWING + USES[use] + CHECK)
    assert done.returncode == 0, done.stderr
