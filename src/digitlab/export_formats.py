"""The forms in which a model version can be had: what each is for, and the code that loads it."""

from dataclasses import dataclass

SHEET = "digitlab.json"
"""The file beside every export that says how to feed the model and how to judge its answer."""

CARD = "MODEL_CARD.md"


@dataclass(frozen=True)
class Format:
    """One form of a model version.

    Attributes
    ----------
    name : as the terminal and the store call it.
    title : as the page calls it.
    file : what the file is called.
    runtime : the program that loads it.
    use : when to choose it, a sentence.
    code : Python that loads it and reads digits; "" if it is no Python that loads it.
    steps : what to do where there is no code, Markdown.
    ready : whether it is at hand without TensorFlow.
    """

    name: str
    title: str
    file: str
    runtime: str
    use: str
    code: str = ""
    steps: str = ""
    ready: bool = False


_START = """import json

import numpy as np
{imports}

sheet = json.load(open("digitlab.json"))
ink = np.load("ink.npy")  # (n, 28, 28, 1) float32: 0 is paper, 1 is ink
"""

_END = """
# Calibrated: the eleventh class is "not a digit".
scaled = logits / sheet["calibration"]["temperature"]
scaled[:, 10] += sheet["calibration"]["others"]
shares = np.exp(scaled - scaled.max(1, keepdims=True))
shares /= shares.sum(1, keepdims=True)
digit, confidence = shares[:, :10].argmax(1), shares[:, :10].max(1)
for d, c in zip(digit, confidence):
    print(d, f"{c:.1%}" if c >= sheet["calibration"]["accept"] else "this may not be a digit")
"""


def _code(imports: str, load: str) -> str:
    return _START.format(imports=imports) + load + _END


_KERAS = "import keras\nimport tensorflow as tf"
_LITERT = "from ai_edge_litert.interpreter import Interpreter"
_RUN_KERAS = """read = tf.function(network)  # compiled: many times as fast as a plain call
logits = read(ink)["logits"].numpy()
"""


def _litert_code(file: str) -> str:
    load = f"""runner = Interpreter("{file}", num_threads=1).get_signature_runner()
logits = runner(ink=ink)["logits"]
"""
    return _code(_LITERT, load)


_FORMATS = (
    Format(
        "keras",
        "Keras",
        "model.keras",
        "Keras",
        "To train on, or to change the network. Holds architecture and weights.",
        _code(
            _KERAS,
            'network = keras.models.load_model("model.keras", compile=False)\n' + _RUN_KERAS,
        ),
        ready=True,
    ),
    Format(
        "h5",
        "HDF5",
        "model.h5",
        "Keras",
        "For programs that know the older HDF5 form of Keras alone.",
        _code(
            _KERAS,
            'network = keras.models.load_model("model.h5", compile=False)\n' + _RUN_KERAS,
        ),
    ),
    Format(
        "json",
        "Architecture",
        "architecture.json",
        "Keras",
        "The layers without any weights, to build the same network anew. The code, and the "
        "figures here, take the weights from model.h5.",
        _code(
            _KERAS,
            'network = keras.models.model_from_json(open("architecture.json").read())\n'
            'network.load_weights("model.h5")\n' + _RUN_KERAS,
        ),
    ),
    Format(
        "savedmodel",
        "SavedModel",
        "savedmodel.zip",
        "TensorFlow",
        "For TensorFlow Serving, and for programs in C++, Java or Go that load TensorFlow.",
        _code(
            "import tensorflow as tf",
            """# Unzip savedmodel.zip first.
network = tf.saved_model.load("savedmodel")
logits = network.serve(ink)["logits"].numpy()
""",
        ),
    ),
    Format(
        "tflite-float32",
        "LiteRT, float32",
        "model_float32.tflite",
        "LiteRT",
        "For phones and small computers, every weight exact.",
        _litert_code("model_float32.tflite"),
    ),
    Format(
        "tflite-float16",
        "LiteRT, float16",
        "model_float16.tflite",
        "LiteRT",
        "Half the size, the same answers. Digit Lab itself reads with this file.",
        _litert_code("model_float16.tflite"),
        ready=True,
    ),
    Format(
        "tflite-int8",
        "LiteRT, int8",
        "model_int8.tflite",
        "LiteRT",
        "The smallest and the fastest: weights and sums in eight bits, chosen on training digits.",
        _litert_code("model_int8.tflite"),
    ),
    Format(
        "onnx",
        "ONNX",
        "model.onnx",
        "ONNX Runtime",
        "For nearly every other runtime and language: C#, Java, Rust, JavaScript, C++.",
        _code(
            "import onnxruntime",
            """session = onnxruntime.InferenceSession("model.onnx")
(logits,) = session.run(["logits"], {"ink": ink})
""",
        ),
    ),
    Format(
        "web",
        "Web page",
        "web.zip",
        "LiteRT.js",
        "A small page with a canvas that reads in the browser, without a server and without a "
        "network.",
        steps="Unzip it and open `index.html` with a double click, or put the folder on any "
        "static web server. Nothing is fetched from elsewhere, and no drawing leaves the page. "
        "For a page of your own, take `litert/`, `data.js` and `reader.js` out of it, with the "
        "script tags of `index.html`:\n\n"
        "```js\nawait DigitLab.start();\n"
        'const answer = await DigitLab.read(canvas.getContext("2d")'
        ".getImageData(0, 0, canvas.width, canvas.height));\n"
        "console.log(answer.digit, answer.confidence, answer.verdict);\n```",
    ),
)

FORMATS = {form.name: form for form in _FORMATS}
"""Every format by its name."""

NO_TFJS = (
    "**TensorFlow.js** is not offered: its converter does not work with Keras 3 and today's "
    "protobuf. In a browser, take the **web page** above, whose LiteRT.js runs the `.tflite` file "
    "itself; or load the **ONNX** file with ONNX Runtime Web."
)
