"""Model versions in the forms that other programs load, each measured as the file that it is."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from digitlab import versions
from digitlab.database import Database
from digitlab.datasets import Digits, mnist_test, rehearsal
from digitlab.errors import DataError, ModelError
from digitlab.export_card import card_of
from digitlab.export_formats import CARD, FORMATS, SHEET
from digitlab.export_runtimes import Measured, measure, single_thread
from digitlab.export_web import archive, model_of, web_page
from digitlab.recognizer import SHIPPED
from digitlab.versions import KERAS, LITERT

FOLDER = "exports"  # beside the shipped model's files
INDEX = "exports.json"  # what was measured of the files in that folder
REPRESENTATIVE = 300  # training digits that show int8 which numbers occur

_MEASURED = "exports"  # names in the store
_FILE = "export {}"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """A version as its exports are made from.

    Attributes
    ----------
    number : what it is called.
    metrics : what was measured, and "calibration".
    card : its model card, Markdown.
    file : gives its LITERT or KERAS file, or raises ModelError.
    """

    number: str
    metrics: dict
    card: str
    file: Callable[[str], bytes]

    @property
    def sheet(self) -> dict:
        """What whoever runs the model must know besides; the SHEET file holds it as JSON."""
        return {
            "version": self.number,
            "input": {
                "name": "ink",
                "shape": ["n", 28, 28, 1],
                "dtype": "float32",
                "range": [0, 1],
                "meaning": "0 is paper, 1 is ink; a digit is scaled into 20x20 keeping its shape "
                "and centred by its mass, as in MNIST",
            },
            "outputs": {"logits": ["n", 11], "embedding": ["n", "d"]},
            "classes": [*"0123456789", "not a digit"],
            "calibration": self.metrics["calibration"],
            "judging": "divide the logits by temperature, add others to the last, take the "
            "softmax; the largest of the first ten shares is the confidence, and below accept it "
            "may not be a digit",
        }

    @property
    def sheet_file(self) -> bytes:
        """The sheet as a file."""
        return (json.dumps(self.sheet, indent=1) + "\n").encode()

    @cached_property
    def digest(self) -> str:
        """Tells whether exports were made from just this model."""
        return hashlib.sha256(self.file(KERAS) + self.file(LITERT)).hexdigest()


@dataclass(frozen=True)
class Exports:
    """What can be had of a version.

    Attributes
    ----------
    source : the version.
    measured : by format, those that are there and what each does.
    kept : gives what is kept of a format that took a conversion, or raises ModelError: its
        file, or of the web page the model in it.
    """

    source: Source
    measured: Mapping[str, Measured]
    kept: Callable[[str], bytes]

    @property
    def missing(self) -> list[str]:
        """The formats that have not been made and measured yet."""
        return [name for name in FORMATS if name not in self.measured]

    def has(self, name: str) -> bool:
        """Whether the file of a format can be had at once."""
        return FORMATS[name].ready or name in self.measured

    def data(self, name: str) -> bytes:
        """The file of a format. Raises ModelError if it has not been made."""
        if FORMATS[name].ready:
            return _ready(self.source, name)
        kept = self.kept(name)
        return _web_page(self.source, kept) if name == "web" else kept


def from_folder(folder: Path = SHIPPED) -> Source:
    """The version in a folder. Raises ModelError if it is missing or damaged."""
    try:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        card = folder / CARD
        text = card.read_text(encoding="utf-8") if card.exists() else ""
        return Source(str(metrics["version"]), metrics, text, lambda name: _read(folder / name))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the model in {folder} can't be loaded: {error}") from error


def from_store(db: Database, number: int) -> Source:
    """A version of the store. Raises ModelError if there is none of that number, StoreError."""
    found = versions.get(db, number)
    card = card_of(found, versions.samples_of(db, number))
    return Source(str(number), found.metrics, card, lambda name: versions.file(db, number, name))


def of_folder(folder: Path = SHIPPED) -> Exports:
    """What was exported at release. Exports of another model than the folder's do not count."""
    source = from_folder(folder)
    kept = folder / FOLDER
    return Exports(source, _index(kept, source), lambda name: _read(kept / _kept_as(name)))


def of_store(db: Database, number: int, folder: Path = SHIPPED) -> Exports:
    """What was exported of a version of the store; of the shipped one, at release.

    Raises
    ------
    ModelError if there is no such version; StoreError.
    """
    found = versions.get(db, number)
    source = from_store(db, number)
    if found.kind == "shipped":
        shipped = of_folder(folder)
        if shipped.measured and shipped.source.digest == source.digest:
            return Exports(source, shipped.measured, shipped.kept)
    return Exports(source, _measured(db, number), lambda name: _kept(db, number, name))


def run(db: Database, report, settings: Mapping) -> None:
    """The job: make and measure exports of a version and keep them in the store.

    Parameters
    ----------
    report : of the job; gets stages, shares and lines, and raises to cancel.
    settings : "version", its number; "format", a name in FORMATS or "all".

    Raises
    ------
    ModelError if there is no such version or none of the formats could be made.
    """
    number, name = int(settings["version"]), settings.get("format", "all")
    names = list(FORMATS) if name == "all" else [_known(name)]
    source = from_store(db, number)

    def keep(name: str, data: bytes, measured: Measured) -> None:
        if not FORMATS[name].ready:
            array = np.frombuffer(_to_keep(name, data), np.uint8)
            versions.save_evaluation(db, number, _FILE.format(name), {"bytes": array})
        kept = _measured(db, number) | {name: measured}
        text = json.dumps({key: asdict(value) for key, value in kept.items()})
        versions.save_evaluation(db, number, _MEASURED, {"json": np.array(text)})

    failed = make(source, names, keep, report.stage, report.log)
    if len(failed) == len(names):
        raise ModelError("; ".join(failed.values()))


def make(
    source: Source,
    names: Iterable[str],
    keep: Callable[[str, bytes, Measured], None],
    stage: Callable[[str, float], None] = lambda name, share: None,
    tell: Tell = print,
    measure_web: Callable[[bytes, Digits], Measured] | None = None,
) -> dict[str, str]:
    """Make formats of a version and measure each on MNIST's test digits.

    Parameters
    ----------
    names : of the formats.
    keep : gets each format's name, file and measurements.
    stage : gets what is being done and the share of all that is done; it may raise to cancel.
    tell : gets a line for each.
    measure_web : measures the file of the web page; without it, LiteRT reads the page's model.

    Returns
    -------
    By format, why it could not be made; empty if all could.
    """
    converter, digits, failed = Converter(source), mnist_test(), {}
    names = list(names)
    for place, name in enumerate(names):
        title = FORMATS[name].title

        def measuring(share: float, place=place, title=title) -> None:
            stage(f"measuring {title}", (place + 0.2 + 0.8 * share) / len(names))

        try:
            stage(f"making {title}", place / len(names))
            data = converter.make(name)
            in_browser = measure_web(data, digits) if name == "web" and measure_web else None
            measured = in_browser or measure(name, converter.files, digits, measuring)
        except ModelError as error:
            failed[name] = f"{title}: {error}"
            tell(f"{title} could not be made: {error}")
        else:
            keep(name, data, measured)
            tell(f"{title}: {account(measured)}")
    return failed


def release(folder: Path = SHIPPED, tell: Tell = print, measure_web=None) -> None:
    """Make all exports of the version in a folder again, into its `exports` folder.

    Parameters
    ----------
    measure_web : as of `make`.

    Raises
    ------
    ModelError if one of them can't be made; then the former ones stay.
    """
    source = from_folder(folder)
    files: dict[str, bytes] = {}
    index: dict[str, Measured] = {}

    def keep(name: str, data: bytes, measured: Measured) -> None:
        files[name], index[name] = data, measured

    failed = make(source, FORMATS, keep, tell=tell, measure_web=measure_web)
    if failed:
        raise ModelError("; ".join(failed.values()))
    _write(folder / FOLDER, source, files, index)
    tell(f"written to {folder / FOLDER}")


def account(measured: Measured) -> str:
    """What was measured, in words."""
    return (
        f"{measured.bytes / 1000:,.0f} kB, {measured.accuracy:.2%} right "
        f"({measured.errors} errors in {measured.images:,}), "
        f"{measured.milliseconds:.2f} ms a digit by {measured.runtime}"
    )


class Converter:
    """Makes the formats of one version; loads TensorFlow when the first needs it."""

    def __init__(self, source: Source):
        self.source = source
        self.files: dict[str, bytes] = {}
        """Every format made so far."""

    def make(self, name: str) -> bytes:
        """The file of a format. Raises ModelError if it can't be made."""
        if name not in self.files:
            if name == "json":
                self.make("h5")  # has its weights
            if FORMATS[_known(name)].ready:
                self.files[name] = _ready(self.source, name)
            else:
                self.files[name] = self._convert(name)
        return self.files[name]

    def _convert(self, name: str) -> bytes:
        ways = {
            "h5": self._h5,
            "json": lambda: self._network.to_json(indent=1).encode(),
            "savedmodel": self._saved_model,
            "tflite-float32": lambda: self._litert(False),
            "tflite-int8": lambda: self._litert(True),
            "onnx": self._onnx,
            "web": lambda: _web_page(self.source, self._litert_of_one()),
        }
        try:
            return ways[name]()
        except ImportError as error:
            raise ModelError(f"{error.name} is not installed: see requirements.txt") from error

    @cached_property
    def _network(self):
        from digitlab import training

        single_thread()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, KERAS)
            path.write_bytes(self.source.file(KERAS))
            network = training.load(path)
        network(np.zeros((1, 28, 28, 1), np.float32))  # ONNX wants it to have been called
        return network

    def _h5(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.h5")
            self._network.save(path)
            return path.read_bytes()

    def _saved_model(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            self._network.export(root / "savedmodel", verbose=False)
            paths = sorted(path for path in root.rglob("*") if path.is_file())
            files = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
        return archive({**files, SHEET: self.source.sheet_file, CARD: self.source.card.encode()})

    def _litert(self, int8: bool) -> bytes:
        import tensorflow as tf

        with tempfile.TemporaryDirectory() as folder:
            self._network.export(folder, verbose=False)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            if int8:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.representative_dataset = _representative
            return converter.convert()

    def _litert_of_one(self) -> bytes:
        """Weights in float16, as in what serves, but for a batch of one only."""
        import keras
        import tensorflow as tf

        one = keras.InputSpec(shape=(1, 28, 28, 1), dtype="float32", name="ink")
        with tempfile.TemporaryDirectory() as folder:
            self._network.export(folder, verbose=False, input_signature=[one])
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
            return converter.convert()

    def _onnx(self) -> bytes:
        import onnx  # noqa: F401, Keras' own message would not say how to go on
        import tf2onnx  # noqa: F401

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.onnx")
            self._network.export(path, format="onnx", verbose=False)
            return path.read_bytes()


def _representative():
    ink = rehearsal().ink[:REPRESENTATIVE]
    for one in ink:
        yield {"ink": one[None, ..., None].astype(np.float32) / 255}


def _ready(source: Source, name: str) -> bytes:
    """A format that needs no conversion."""
    return source.file(KERAS if name == "keras" else LITERT)


def _web_page(source: Source, model: bytes) -> bytes:
    return web_page(model, source.sheet, source.sheet_file, source.card)


def _kept_as(name: str) -> str:
    return "model_web.tflite" if name == "web" else FORMATS[name].file


def _to_keep(name: str, data: bytes) -> bytes:
    """What is kept of a file: of the web page the model, since the rest is always the same."""
    return model_of(data) if name == "web" else data


def _known(name: str) -> str:
    if name not in FORMATS:
        raise DataError(f"There is no format {name!r}: choose one of {', '.join(FORMATS)}.")
    return name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path.name} can't be read: {error.strerror}") from error


def _index(folder: Path, source: Source) -> dict[str, Measured]:
    """What was measured of the exports in a folder, if they are of this model."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["model"] != source.digest:
            return {}
        return {name: Measured(**index["formats"][name]) for name in FORMATS}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(folder: Path, source: Source, files: Mapping[str, bytes], index: Mapping) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if not FORMATS[name].ready:
            (folder / _kept_as(name)).write_bytes(_to_keep(name, data))
    formats = {name: asdict(measured) for name, measured in index.items()}
    text = json.dumps({"model": source.digest, "formats": formats}, indent=1)
    (folder / INDEX).write_text(text + "\n", encoding="utf-8")


def _measured(db: Database, number: int) -> dict[str, Measured]:
    stored = versions.evaluation(db, number, _MEASURED)
    if stored is None:
        return {}
    kept = json.loads(str(stored["json"]))
    return {name: Measured(**value) for name, value in kept.items() if name in FORMATS}


def _kept(db: Database, number: int, name: str) -> bytes:
    stored = versions.evaluation(db, number, _FILE.format(_known(name)))
    if stored is None:
        raise ModelError(f"{FORMATS[name].title} of version {number} has not been made yet.")
    return stored["bytes"].tobytes()
