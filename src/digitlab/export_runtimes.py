"""Each export, run by the program that will load it: its answers and its time."""

import io
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitlab.datasets import Digits
from digitlab.errors import ModelError
from digitlab.export_web import model_of

# TensorFlow, Keras and ONNX Runtime are imported by what needs them alone: the page that shows
# exports loads this module, too.

BATCH = 100
WARM_UP, TIMED = 30, 200  # calls with one digit

Reader = Callable[[np.ndarray], np.ndarray]
"""From ink (n, 28, 28, 1) float32 in 0..1 to logits (n, 11) float32."""


@dataclass(frozen=True)
class Measured:
    """What an exported file does in the program that loads it.

    Attributes
    ----------
    bytes : its size.
    errors, images : wrong answers, and of how many digits.
    milliseconds : for one digit, the median of TIMED calls.
    threads : processor threads it had for that; 0 if the program chose.
    runtime : the program and its version.
    """

    bytes: int
    errors: int
    images: int
    milliseconds: float
    threads: int
    runtime: str

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return 1 - self.errors / self.images


def reader(name: str, files: Mapping[str, bytes]) -> Reader:
    """An export, loaded with one thread by the program that it is for.

    Parameters
    ----------
    name : of the format. A web page is read by LiteRT in place of its own LiteRT.js.
    files : the export itself by the name of its format, and "h5" for the architecture's weights.

    Raises
    ------
    ModelError if the file is no such export, or what loads it is not installed.
    """
    try:
        if name in _TENSORFLOW:
            single_thread()
        return _LOADERS[name](files)
    except ImportError as error:
        raise ModelError(f"{error.name} is not installed: see requirements.txt") from error
    except (OSError, ValueError, RuntimeError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"this is no {name} file that can be loaded: {error}") from error


def answers(read: Reader, ink: np.ndarray, tell: Callable[[float], None] | None = None):
    """Which digit each ink is, (n,) int64, for `ink` (n, 28, 28) uint8.

    `tell` gets the share done; what it raises goes through.
    """
    found = []
    for start in range(0, len(ink), BATCH):
        found.append(read(_as_input(ink[start : start + BATCH]))[:, :10].argmax(1))
        if tell:
            tell(min(1.0, (start + BATCH) / len(ink)))
    return np.concatenate(found)


def measure(
    name: str,
    files: Mapping[str, bytes],
    digits: Digits,
    tell: Callable[[float], None] | None = None,
) -> Measured:
    """Size, errors and time of an export; arguments and errors as of `reader` and `answers`."""
    read = reader(name, files)
    wrong = answers(read, digits.ink, tell) != digits.labels
    return Measured(
        bytes=len(files[name]),
        errors=int(wrong.sum()),
        images=len(wrong),
        milliseconds=_median_time(read, digits.ink),
        threads=_threads(name),
        runtime=_runtime(name),
    )


def single_thread() -> None:
    """Have TensorFlow compute with one thread, if it has not begun yet."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # it has: then the figures say so
        return


def _as_input(ink: np.ndarray) -> np.ndarray:
    return ink[..., None].astype(np.float32) / 255


def _median_time(read: Reader, ink: np.ndarray) -> float:
    """Milliseconds for one digit."""
    times = []
    for i in range(WARM_UP + TIMED):
        one = _as_input(ink[i % len(ink)][None])
        began = time.perf_counter()
        read(one)
        times.append((time.perf_counter() - began) * 1000)
    return float(np.median(times[WARM_UP:]))


def _keras(files: Mapping[str, bytes]) -> Reader:
    return _keras_file(files["keras"], "model.keras")


def _h5(files: Mapping[str, bytes]) -> Reader:
    return _keras_file(files["h5"], "model.h5")


def _keras_file(data: bytes, name: str) -> Reader:
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        return _compiled(keras.models.load_model(path, compile=False, safe_mode=True))


def _architecture(files: Mapping[str, bytes]) -> Reader:
    import keras

    network = keras.models.model_from_json(files["json"].decode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.h5")
        path.write_bytes(files["h5"])
        network.load_weights(path)
    return _compiled(network)


def _compiled(network) -> Reader:
    import tensorflow as tf

    compiled = tf.function(network)
    return lambda ink: compiled(ink)["logits"].numpy()


def _saved_model(files: Mapping[str, bytes]) -> Reader:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(files["savedmodel"])).extractall(folder)
        network = tf.saved_model.load(str(Path(folder, "savedmodel")))
    return lambda ink: network.serve(ink)["logits"].numpy()


def _litert(name: str) -> Callable[[Mapping[str, bytes]], Reader]:
    def load(files: Mapping[str, bytes]) -> Reader:
        from ai_edge_litert.interpreter import Interpreter

        runner = Interpreter(model_content=files[name], num_threads=1).get_signature_runner()
        return lambda ink: runner(ink=ink)["logits"]

    return load


def _onnx(files: Mapping[str, bytes]) -> Reader:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # it warns of processors that it does not know
    try:
        session = onnxruntime.InferenceSession(files["onnx"], options)
    except Exception as error:  # its exceptions share no base but this
        raise ModelError(f"this is no onnx file that can be loaded: {error}") from error
    return lambda ink: session.run(["logits"], {"ink": ink})[0]


def _web(files: Mapping[str, bytes]) -> Reader:
    one = _litert("web")({"web": model_of(files["web"])})  # it takes one digit at a time
    return lambda ink: np.concatenate([one(ink[i : i + 1]) for i in range(len(ink))])


_LOADERS: Mapping[str, Callable[[Mapping[str, bytes]], Reader]] = {
    "keras": _keras,
    "h5": _h5,
    "json": _architecture,
    "savedmodel": _saved_model,
    "tflite-float32": _litert("tflite-float32"),
    "tflite-float16": _litert("tflite-float16"),
    "tflite-int8": _litert("tflite-int8"),
    "onnx": _onnx,
    "web": _web,
}

_TENSORFLOW = ("keras", "h5", "json", "savedmodel")


def _threads(name: str) -> int:
    if name not in _TENSORFLOW:
        return 1
    import tensorflow as tf

    return tf.config.threading.get_intra_op_parallelism_threads()


def _runtime(name: str) -> str:
    """The program that read an export, with its version."""
    from importlib.metadata import version

    if name == "onnx":
        return f"ONNX Runtime {version('onnxruntime')}"
    if name not in _TENSORFLOW:
        instead = " in place of LiteRT.js" if name == "web" else ""
        return f"LiteRT {version('ai-edge-litert')}{instead}"
    import tensorflow as tf

    if name == "savedmodel":
        return f"TensorFlow {tf.__version__}"
    return f"Keras {version('keras')} on TensorFlow {tf.__version__}"
