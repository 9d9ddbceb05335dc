"""Running a .tflite model from several threads at once."""

import queue
from pathlib import Path

import numpy as np

from digitlab.errors import ModelError


def read_model(path: Path) -> bytes:
    """The bytes of a model's file. Raises ModelError if it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {path} can't be loaded: {error}") from error


class Network:
    """A .tflite model with one signature; safe to share between threads.

    Parameters
    ----------
    model : the bytes of the file.
    threads : processor threads for one call.

    Raises
    ------
    ModelError if the bytes are no such model.
    """

    def __init__(self, model: bytes, threads: int = 1):
        self._model, self._threads = model, threads
        # An interpreter must never be used by two threads at once: each call borrows one.
        self._idle: queue.LifoQueue = queue.LifoQueue()
        self._idle.put(self._new_runner())

    def _new_runner(self):
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_content=self._model, num_threads=self._threads)
            return interpreter.get_signature_runner()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"this is no model that Digit Lab can run: {error}") from error

    def run(self, batch: int, **pictures: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name, (n, …) float32, of one input (n, h, w) uint8, `batch` at a time."""
        ((name, values),) = pictures.items()
        if not len(values):  # the runtime takes no empty batch; a blank one tells the shapes
            blank = np.zeros((1, *values.shape[1:]), np.uint8)
            return {key: part[:0] for key, part in self.run(1, **{name: blank}).items()}
        try:
            runner = self._idle.get_nowait()
        except queue.Empty:
            runner = self._new_runner()
        try:
            parts = [
                runner(**{name: values[i : i + batch, ..., None].astype(np.float32) / 255})
                for i in range(0, len(values), batch)
            ]
        finally:
            self._idle.put(runner)
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
