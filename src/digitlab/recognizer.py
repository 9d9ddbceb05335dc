"""28x28 ink to calibrated probabilities through LiteRT, and whole pictures to readings."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlab.errors import ModelError
from digitlab.lattice import best_path
from digitlab.litert import Network
from digitlab.objections import (
    signs_ahead,
    skipped,
    stand_or_fall,
    take_final_signs,
    take_slashes,
    unless_detail,
    unless_pair,
    unless_scenery,
    unless_sign,
    unless_stripes,
)
from digitlab.preprocess import Box, Candidate, Preparation, Row, levelled, prepare
from digitlab.punctuation import around, is_foot
from digitlab.reading import DISPUTED, REFUSED, UNSURE, Digit, Reading, likeness_of
from digitlab.touching import Opinion, seconded, together

SHIPPED = Path(__file__).resolve().parents[2] / "model"
"""The folder of the model that comes with the program."""

TALL = 0.6  # of the usual height of a line's digits: lower is a mark rather than a sign
WHOLE = 0.65  # confidence from which parts are one digit rather than what each of them is
TURNED = 0.014  # of several digits, by the root of their number: what belief grows by chance
UNREAD = 0.05  # the confidence with which a sign is taken for none, to compare two readings

_BATCH = 64  # more at once is no faster and takes more memory


@dataclass(frozen=True)
class Calibration:
    """What turns logits into trust, chosen on validation data (Guo et al. 2017).

    Attributes
    ----------
    temperature : logits are divided by it before the softmax.
    others : added to the scaled logit of "not a digit": people hand in digits far more often
        than training did (Saerens, Latinne and Decaestecker 2002, on changed priors).
    accept : confidence from which an answer counts as a digit.
    sure, fairly_sure : confidence from which the answer is called so.
    """

    temperature: float = 1.0
    others: float = 0.0
    accept: float = 0.5
    sure: float = 0.98
    fairly_sure: float = 0.8


@dataclass(frozen=True)
class Beliefs:
    """What the network makes of n pieces of ink.

    Attributes
    ----------
    probabilities : (n, 10) float32, of each digit if it is one; each row sums to 1.
    is_digit : (n,) float32, probability that it is a digit at all.
    embedding : (n, 160) float32, the network's description of the ink.
    """

    probabilities: np.ndarray
    is_digit: np.ndarray
    embedding: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        """(n,) float32, probability that it is a digit and the likeliest one."""
        return self.probabilities.max(1) * self.is_digit


class _Found(NamedTuple):
    """What `Reading` tells, with boxes in the picture as it was prepared."""

    preparation: Preparation
    lines: list[list[Digit]]
    unread: list[Box]
    left_out: int


class Recognizer:
    """A model version, ready to read; safe to share between threads.

    Parameters
    ----------
    model : the bytes of a .tflite file with signature ink -> logits, embedding.
    calibration : of that model.
    version : its name, repeated in every reading.
    threads : processor threads for one prediction.

    Raises
    ------
    ModelError if the bytes are no such model.
    """

    def __init__(
        self, model: bytes, calibration: Calibration, version: str = "1", threads: int = 1
    ):
        self._model, self._network = model, Network(model, threads)
        self.calibration, self.version = calibration, version

    @classmethod
    def load(cls, folder: Path = SHIPPED, threads: int = 1) -> "Recognizer":
        """The version stored in a folder. Raises ModelError if it is missing or damaged."""
        try:
            model = (folder / "model.tflite").read_bytes()
            metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
            calibration = Calibration(**metrics["calibration"])
            return cls(model, calibration, str(metrics["version"]), threads)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"the model in {folder} can't be loaded: {error}") from error

    @cached_property
    def fingerprint(self) -> str:
        """What tells this network from any other: the SHA-256 of its file, in hexadecimal."""
        return hashlib.sha256(self._model).hexdigest()

    def _run(self, ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits (n, 11) and embedding (n, d), float32, of ink (n, 28, 28) uint8."""
        found = self._network.run(_BATCH, ink=ink)
        return found["logits"], found["embedding"]

    def logits(self, ink: np.ndarray) -> np.ndarray:
        """The network's raw scores, (n, 11) float32, for `ink` (n, 28, 28) uint8."""
        return self._run(ink)[0]

    def activations(self, ink: np.ndarray) -> list[np.ndarray]:
        """What every layer makes of one digit, first layer first.

        Parameters
        ----------
        ink : (28, 28) uint8.

        Returns
        -------
        The maps of each layer that has any, (h, w, channels) float32.
        """
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        # The usual kernels throw intermediate results away, so this takes its own interpreter.
        interpreter = Interpreter(
            model_content=self._model,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
        blank, seen = (_every_map(interpreter, picture) for picture in (ink * 0, ink))
        # Weights have four dimensions, too, but are the same for every picture.
        return [seen[i] for i in sorted(seen) if not np.array_equal(seen[i], blank[i])]

    def classify(self, ink: np.ndarray) -> Beliefs:
        """What the network makes of `ink`, (n, 28, 28) uint8."""
        return self._beliefs(*self._run(ink))

    def _beliefs(self, logits: np.ndarray, embedding: np.ndarray) -> Beliefs:
        chosen = self.calibration
        return beliefs_from(logits, embedding, chosen.temperature, chosen.others)

    def recognize(self, image: np.ndarray, boxes: Sequence[Box] | None = None) -> Reading:
        """Read the digits in a picture.

        Parameters
        ----------
        image : (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA, uint8.
        boxes : where somebody says that the digits are, one box each; None to find them. Boxes
            without ink are left out.
        """
        began = time.perf_counter()
        given = boxes is not None
        found = self._find(image, prepare(image, boxes), given)
        level = levelled(found.preparation, boxes)
        if level is not None:
            turned = self._find(image, level, given)
            # Somebody who gives boxes wants every one of them read.
            lost = given and sum(map(len, turned.lines)) < sum(map(len, found.lines))
            found = turned if _is_better(turned, found) and not lost else found
        preparation = found.preparation
        text = "\n".join("".join(str(digit.label) for digit in line) for line in found.lines)
        digits = tuple(
            replace(digit, box=preparation.in_picture(digit.box))
            for line in found.lines
            for digit in line
        )
        unread = tuple(map(preparation.in_picture, found.unread))
        spent = (time.perf_counter() - began) * 1000
        return Reading(text, digits, found.left_out, preparation, self.version, spent, unread)

    def _find(self, image: np.ndarray, preparation: Preparation, all_digits: bool) -> _Found:
        """The digits of a picture as it was prepared, all boxes in that picture."""
        lines, unread = self._read_rows(preparation.rows, all_digits)
        whole = self._as_whole(preparation.whole, lines) if preparation.whole else None
        if whole is not None:
            lines, unread = [[whole]], []
        if not all_digits:
            lines = unless_stripes(lines, preparation)
            unread += take_slashes(lines, preparation) + take_final_signs(lines, preparation)
            lines = unless_scenery(lines, preparation)
            unread += [box for box in preparation.cut if any(_belongs(box, line) for line in lines)]
        read = [line for line in lines if line]
        if preparation.paper.flat and not all_digits:
            preparation, read = self._without_signs(image, preparation, read, unread)
        return _Found(preparation, read, unread, len(lines) - len(read))

    def _read_rows(
        self, rows: tuple[Row, ...], all_digits: bool
    ) -> tuple[list[list[Digit]], list[Box]]:
        """The digits of each row, and `Reading.unread`.

        `all_digits` says that every candidate is one.
        """
        if not rows:
            return [], []
        found = self._run(np.stack([c.glyph.ink for row in rows for c in row.candidates]))
        beliefs = self._beliefs(*found)
        # Most candidates are pieces or pairs of digits, as in training: no prior in their favour,
        # and no sharpening, which only single digits deserve.
        doubted = beliefs_from(*found, 1.0)
        only = sum(row.pieces for row in rows) == 1
        lines, unread, start = [], [], 0
        for row in rows:
            stop = start + len(row.candidates)
            confidence, digit = doubted.confidence[start:stop], doubted.is_digit[start:stop]
            path, opinions = list(range(stop - start)), {}
            if not only and not all_digits:
                shares = digit[:, None] * doubted.probabilities[start:stop]
                path = best_path(row, confidence, 1 - digit)
                path, opinions = together(row, path, shares, 1 - digit)
            digits = [self._digit(row, beliefs, start, i, opinions.get(i)) for i in path]
            if not all_digits:
                ahead = signs_ahead(row, path, digits)
                path, digits = path[ahead:], digits[ahead:]
            lines.append(stand_or_fall(row, path, digits))
            if digits:
                boxes = [candidate.glyph.box for candidate in skipped(row, path)]
                unread += [box for box in boxes if box[3] >= TALL * row.height]
            start = stop
        if not any(lines):
            lines = [[self._best_guess(rows, beliefs)]]
        return lines, unread

    def _as_whole(self, whole: Candidate, lines: list[list[Digit]]) -> Digit | None:
        """One digit instead of several lines of its broken parts, if it is believed as much."""
        row = Row(1, (whole,), whole.glyph.box[3])
        ((digit,),), _ = self._read_rows((row,), False)
        others = np.prod([part.confidence for line in lines for part in line])
        return digit if digit.confidence > max(WHOLE, 0.9 * others) else None

    def _without_signs(
        self, image, preparation: Preparation, lines: list[list[Digit]], unread: list[Box]
    ) -> tuple[Preparation, list[list[Digit]]]:
        """What is in a clean drawing is not believed if it is a sign or a detail of the drawing."""
        count = sum(map(len, lines))
        if count == 1:
            ((digit,),) = lines
            preparation, digit = self._with_foot(image, preparation, digit)
            lines = [[unless_sign(self._seconded(digit, preparation), preparation, unread)]]
        elif count == 2:
            lines = unless_pair(lines)
        return preparation, unless_detail(lines, preparation)

    def _seconded(self, digit: Digit, preparation: Preparation) -> Digit:
        """A digit that stands alone, as like one as the string reader finds it, too."""
        strip = preparation.strip_of(digit.box)
        if digit.objection or strip is None:
            return digit
        likeness = seconded(digit.likeness, strip)
        probabilities = np.array(digit.probabilities)
        confidence = likeness * float(probabilities.max())
        accepted = confidence >= self.calibration.accept
        verdict = self._verdict(probabilities, confidence)
        return replace(digit, confidence=confidence, accepted=accepted, verdict=verdict)

    def _with_foot(
        self, image, preparation: Preparation, digit: Digit
    ) -> tuple[Preparation, Digit]:
        """A 1 with its foot, where the foot alone was taken for an underline of the only digit.

        On paper numbers are underlined; in a drawing of one digit it is the foot of a 1 that lies
        under what may be a 1 or a 7, if both together look like a 1. What is left of a row that
        was turned is no drawing of one digit.
        """
        feet = [mark for mark in preparation.marks if is_foot(digit.box, mark)]
        if digit.label not in (1, 7) or len(feet) != 1 or preparation.turn is not None:
            return preparation, digit
        both = prepare(image, [around(digit.box, feet[0])])
        ((footed,),), _ = self._read_rows(both.rows, True)
        if footed.label == 1 and footed.confidence > min(WHOLE, digit.confidence):
            return both, footed
        return preparation, digit

    def _best_guess(self, rows: tuple[Row, ...], beliefs: Beliefs) -> Digit:
        """Where nothing looks like a digit: what comes nearest to one, dots beside it apart."""
        heights = np.array([c.glyph.box[3] for row in rows for c in row.candidates])
        large = heights >= 0.5 * heights.max()
        best = start = int(np.where(large, beliefs.confidence, -1.0).argmax())
        for row in rows:
            if start < len(row.candidates):
                return self._digit(row, beliefs, best - start, start)
            start -= len(row.candidates)
        raise AssertionError("every belief belongs to a candidate")

    def _digit(
        self, row: Row, beliefs: Beliefs, start: int, index: int, opinion: Opinion | None = None
    ) -> Digit:
        """One candidate as a digit; `opinion` says what the string reader makes of it."""
        glyph = row.candidates[index].glyph
        probabilities = beliefs.probabilities[start + index]
        if opinion is not None:
            probabilities = opinion.pooled(probabilities)
        alone = confidence = float(beliefs.is_digit[start + index] * probabilities.max())
        if opinion is not None:
            confidence = opinion.believed(alone)
        accept = self.calibration.accept
        disputed = alone >= accept > confidence
        return Digit(
            label=int(probabilities.argmax()),
            probabilities=tuple(float(p) for p in probabilities),
            confidence=confidence,
            box=glyph.box,
            accepted=confidence >= accept,
            verdict=UNSURE if disputed else self._verdict(probabilities, confidence),
            ink=glyph.ink,
            objection=DISPUTED if disputed else "",
        )

    def _verdict(self, probabilities: np.ndarray, confidence: float) -> str:
        """How sure, in words that the calibration makes true."""
        if confidence >= self.calibration.sure:
            return "sure"
        if confidence >= max(self.calibration.fairly_sure, self.calibration.accept):
            return "fairly sure"
        likeness = likeness_of(confidence, float(probabilities.max()))
        if likeness < 0.5:
            return REFUSED
        first, second = np.argsort(probabilities)[::-1][:2]
        if 1 - likeness > likeness * probabilities[second]:
            return f"{UNSURE}: {first} or no digit?"
        return f"{UNSURE}: {first} or {second}?"


def _is_better(turned: _Found, found: _Found) -> bool:
    """Whether a reading is believed more than another one, by more than chance.

    One with fewer lines only has to be believed as much: a steep row comes apart into steps.
    """
    chance = TURNED / np.sqrt(max(1, sum(map(len, turned.lines))))
    if len(turned.lines) < len(found.lines):
        chance = -chance
    return _believed(turned) > _believed(found) + chance


def _believed(found: _Found) -> float:
    """How much a reading is believed: the mean of its signs' logarithms of confidence."""
    read = [digit.confidence for line in found.lines for digit in line]
    signs = read + [UNREAD] * len(found.unread)
    return float(np.mean(np.log(np.maximum(signs, 1e-6)))) if read else -np.inf


def _every_map(interpreter, ink: np.ndarray) -> dict[int, np.ndarray]:
    """The inner tensors that may be maps, by number, after a run on `ink` (28, 28) uint8."""
    place = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(place, ink[None, ..., None].astype(np.float32) / 255)
    interpreter.invoke()
    return {
        tensor["index"]: interpreter.get_tensor(tensor["index"])[0]
        for tensor in interpreter.get_tensor_details()
        if tensor["name"] and tensor["index"] != place  # scratch space has no name
        if len(tensor["shape"]) == 4 and tensor["shape"][0] == 1 and tensor["shape"][1] > 1
    }


def beliefs_from(
    logits: np.ndarray, embedding: np.ndarray, temperature: float, others: float = 0.0
) -> Beliefs:
    """Split the softmax over eleven classes into "is it a digit" and "which".

    Parameters
    ----------
    logits : (n, 11) float32; the last class is "not a digit".
    embedding : (n, d) float32.
    temperature, others : as in `Calibration`.
    """
    scaled = logits / temperature
    scaled[:, -1] += others
    shares = np.exp(scaled - scaled.max(1, keepdims=True))
    digits = shares[:, :10]
    total = digits.sum(1, keepdims=True)
    # A hopeless case has no ink-based preference left: equal shares instead of 0/0.
    which = np.where(total > 0, digits / np.maximum(total, 1e-30), 0.1)
    is_digit = (total / shares.sum(1, keepdims=True))[:, 0]
    return Beliefs(which.astype(np.float32), is_digit.astype(np.float32), embedding)


def _belongs(cut: Box, line: list[Digit]) -> bool:
    """Whether what a picture's side cut off stands in a line of digits and is as high as they are.

    Beside a single digit it is more likely a neighbour that was cut away on purpose.
    """
    _, top, _, height = cut
    if len(line) < 2:
        return False
    tall = float(np.median([digit.box[3] for digit in line]))
    middles = [digit.box[1] + digit.box[3] / 2 for digit in line]
    return height >= TALL * tall and any(top < middle < top + height for middle in middles)


@cache
def champion() -> Recognizer:
    """The model that serves, loaded once in a process."""
    return Recognizer.load()
