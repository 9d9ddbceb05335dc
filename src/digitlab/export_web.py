"""A small web page that reads digits in the browser, packed with a model and all that runs it."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from digitlab.errors import ModelError
from digitlab.export_formats import CARD, SHEET

PARTS = Path(__file__).parent / "web"
LITERT = PARTS / "litert"
WASM = "litert_wasm_compat_internal"
"""The variant that runs in every browser with SIMD; its file is 9.3 MB, 2.8 MB when packed."""

TOP = "digitlab"  # the folder in the ZIP

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same page is the same file, whenever it is made


def web_page(model: bytes, sheet: dict, sheet_file: bytes, card: str) -> bytes:
    """The ZIP of a web page that runs a model, from a server or opened as a file.

    Parameters
    ----------
    model : bytes of a .tflite file that takes a batch of one and no other: LiteRT.js can't run
        one whose batch is open.
    sheet, sheet_file : what must be known besides, with "calibration"; and the same as a file.
    card : the model's card, Markdown.
    """
    own = ("index.html", "style.css", "page.js", "reader.js", "README.md")
    files = {name: (PARTS / name).read_bytes() for name in own}
    files |= {"model.tflite": model, SHEET: sheet_file, CARD: card.encode()}
    files["data.js"] = _script("DIGITLAB", {"sheet": sheet, "model": _base64(model)})
    for name in ("LICENSE", "NOTICE", f"{WASM}.js"):
        files[f"litert/{name}"] = (LITERT / name).read_bytes()
    packed = (LITERT / f"{WASM}.wasm.gz").read_bytes()
    files["litert/wasm.js"] = _script("LITERT_WASM", _base64(packed))
    files["litert/litert.js"] = _runtime()
    return archive({f"{TOP}/{name}": data for name, data in files.items()})


def model_of(page: bytes) -> bytes:
    """The .tflite file in the ZIP of a web page. Raises ModelError if there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(page)) as files:
            return files.read(f"{TOP}/model.tflite")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(f"this is no web page of Digit Lab: {error}") from error


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of files by name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            out.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=6)
    return packed.getvalue()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _script(name: str, value) -> bytes:
    """JavaScript that sets a global: scripts, unlike other files, load without a server."""
    return f"window.{name} = {json.dumps(value)};\n".encode()


def _runtime() -> bytes:
    """LiteRT.js as one plain script: modules would not load without a server."""
    support, core = ((LITERT / name).read_text("utf-8") for name in ("wasm_utils.js", "core.js"))
    exported = re.compile(r"^export \{(.*?)\};$", re.DOTALL | re.MULTILINE)
    mapped = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
    support = exported.sub("", support)
    core = re.sub(r'^import \{ createWasmLib \} from "[^"]*";$', "", core, flags=re.MULTILINE)
    core = exported.sub(r"window.LiteRt = {\1};", core)
    joined = mapped.sub("", f"{support}\n{core}")
    return f"// LiteRT.js, changed as NOTICE says.\n(() => {{\n{joined}\n}})();\n".encode()
