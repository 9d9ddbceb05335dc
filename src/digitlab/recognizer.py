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
from digitlab.preprocess import Box, Candidate, Preparation, Row, Step, levelled, prepare
from digitlab.punctuation import (
    MOST_OUT,
    are_uneven,
    around,
    ends_over_dot,
    goes_on,
    has_dot,
    is_colon,
    is_foot,
    is_ring,
    is_slash,
    run_out,
    stand_above_each_other,
)
from digitlab.touching import Opinion, together

SHIPPED = Path(__file__).resolve().parents[2] / "model"
"""The folder of the model that comes with the program."""

REFUSED = "this may not be a digit"
UNSURE = "not sure"
DOTTED = "a dot or another mark stands over or under it, as in ?, !, : or i"
RINGED = "a ring or another much smaller sign is beside it, as in a %"
RUNNING = "it runs out of the picture, as lines and patterns do"
STRIPE = "it goes on beyond its ends, as a piece of a longer line does"
TORN = "it is cut out of one connected shape that is no number as a whole"
DISPUTED = "together with what it touches it may be read otherwise"

TALL = 0.6  # of the usual height of a line's digits: lower is a mark rather than a sign
SIGN = 0.1  # likeness to a digit: less, the first of a row is a sign before the number
WHOLE = 0.65  # confidence from which parts are one digit rather than what each of them is
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
    embedding : (n, 128) float32, the network's description of the ink.
    """

    probabilities: np.ndarray
    is_digit: np.ndarray
    embedding: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        """(n,) float32, probability that it is a digit and the likeliest one."""
        return self.probabilities.max(1) * self.is_digit


@dataclass(frozen=True)
class Digit:
    """One digit that was read.

    Attributes
    ----------
    label : 0 to 9.
    probabilities : of 0 to 9, ten numbers that sum to 1.
    confidence : probability that `label` is right, calibrated.
    box : left, top, width, height in pixels of the picture.
    accepted : whether to trust it; False says "this may not be a digit", or hard to tell.
    verdict : how sure, in words.
    ink : (28, 28) uint8, what the network saw.
    objection : what around it says that it is none, or another, whatever the network makes of its
        shape; "" if it is accepted, or doubted for its shape alone.
    """

    label: int
    probabilities: tuple[float, ...]
    confidence: float
    box: Box
    accepted: bool
    verdict: str
    ink: np.ndarray
    objection: str = ""

    @property
    def likeness(self) -> float:
        """Probability that it is a digit, whichever."""
        return _likeness(self.confidence, max(self.probabilities))

    @property
    def ranking(self) -> tuple[int, ...]:
        """The ten digits, the likeliest first."""
        return tuple(int(d) for d in np.argsort(self.probabilities)[::-1])


@dataclass(frozen=True)
class Reading:
    """What was read in a picture.

    Attributes
    ----------
    text : the digits in reading order, lines separated by a line feed; "" if there are none.
    digits : each of them.
    left_out : lines in which nothing looks like a digit, beside others that were read.
    unread : boxes of what stands in a line that was read, as high as its digits, but looks like
        none: an equals sign as well as a 7 that is hard to read.
    preparation : how the picture was prepared; `steps` shows it.
    version : name of the model version that read.
    milliseconds : from the decoded picture to this reading.
    """

    text: str
    digits: tuple[Digit, ...]
    left_out: int
    preparation: Preparation
    version: str
    milliseconds: float
    unread: tuple[Box, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done to the picture, to look at."""
        return self.preparation.steps


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
            found = found if lost else max(found, turned, key=_believed)
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
            lines = _unless_stripes(lines, preparation)
            unread += _take_slashes(lines, preparation) + _take_final_signs(lines, preparation)
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
                ahead = _signs_ahead(row, path, digits)
                path, digits = path[ahead:], digits[ahead:]
            lines.append(_stand_or_fall(row, path, digits))
            if digits:
                boxes = [candidate.glyph.box for candidate in _skipped(row, path)]
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
        """What is alone in a clean drawing, a digit or two, is not believed if it is a sign."""
        count = sum(map(len, lines))
        if count == 1:
            ((digit,),) = lines
            preparation, digit = self._with_foot(image, preparation, digit)
            lines = [[_unless_sign(digit, preparation, unread)]]
        elif count == 2:
            lines = _unless_pair(lines)
        return preparation, lines

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
        if _likeness(confidence, float(probabilities.max())) < 0.5:
            return REFUSED
        first, second = np.argsort(probabilities)[::-1][:2]
        return f"{UNSURE}: {first} or {second}?"


def _believed(found: _Found) -> float:
    """How much a reading is believed: the mean of its signs' logarithms of confidence."""
    read = [digit.confidence for line in found.lines for digit in line]
    signs = read + [UNREAD] * len(found.unread)
    return float(np.mean(np.log(np.maximum(signs, 1e-6)))) if read else -np.inf


def _likeness(confidence: float, share: float) -> float:
    """Probability of being a digit, of a confidence and its digit's share among the ten."""
    return min(1.0, confidence / max(share, 1e-9))


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


def _skipped(row: Row, path: list[int]) -> list[Candidate]:
    """The pieces of a row that no candidate of a path covers; what an edge cut off is none.

    Parameters
    ----------
    path : indices into `row.candidates`.
    """
    chosen = [row.candidates[index] for index in path]
    covered = {piece for c in chosen for piece in range(c.first, c.last)}
    single = [c for c in row.candidates if c.last == c.first + 1 and not c.at_edge]
    return [c for c in single if c.first not in covered]


def _signs_ahead(row: Row, path: list[int], digits: list[Digit]) -> int:
    """How many of a row's first digits are rather a sign before the number, as a $ or a #.

    They look like no digit at all, while some digit after them is accepted.

    Parameters
    ----------
    path : indices into `row.candidates`, one for each of `digits`.
    """
    ahead = 0
    while ahead < len(digits) and digits[ahead].label != 1 and digits[ahead].likeness < SIGN:
        ahead += 1
    cut = [row.candidates[index].cut for index in path]
    while ahead and frozenset().union(*cut[:ahead]) & frozenset().union(*cut[ahead:]):
        ahead -= 1
    return ahead if any(digit.accepted for digit in digits[ahead:]) else 0


def _take_slashes(lines: list[list[Digit]], preparation: Preparation) -> list[Box]:
    """Take the slashes between digits, as in a date, out of `lines`; their boxes."""
    taken = []
    for line in lines:
        ones = [
            i for i, digit in enumerate(line[1:-1], 1) if digit.label == 1 and line[i - 1].accepted
        ]
        if not ones:
            continue
        others = [preparation.ink_in(digit.box) for digit in line if digit.label != 1]
        boxes = [digit.box for digit in line]
        places = [
            i
            for i in ones
            if is_slash(boxes[i], preparation.ink_in(boxes[i]), boxes[i - 1], boxes[i + 1], others)
        ]
        taken += [line[i].box for i in places]
        line[:] = [digit for i, digit in enumerate(line) if i not in places]
    return taken


def _take_final_signs(lines: list[list[Digit]], preparation: Preparation) -> list[Box]:
    """Take every ! and ? after a number out of `lines`; their boxes."""
    taken = []
    for line in lines:
        while any(digit.accepted for digit in line[:-1]):
            foot, box = line[-2].box[1] + line[-2].box[3], line[-1].box
            if not ends_over_dot(box, preparation.ink_in(box), preparation.marks, foot):
                break
            taken.append(line.pop().box)
    return taken


def _stand_or_fall(row: Row, path: list[int], digits: list[Digit]) -> list[Digit]:
    """Digits cut out of one connected part are accepted together or not at all.

    Where one of the parts of an M is no digit, or was left out, the others are none either, unless
    it runs out of a crop, as a stroke to the next digit does; and what comes apart into ones only
    is far more often a V, an N or an H than several ones.

    Parameters
    ----------
    path : indices into `row.candidates`, one for each of `digits`.
    """
    chosen = [row.candidates[index] for index in path]
    refused = [c.cut for c, digit in zip(chosen, digits, strict=True) if not digit.accepted]
    skipped = [c.cut for c in _skipped(row, path)]
    torn = frozenset().union(*refused, *skipped, _only_stems(chosen, digits))
    return [
        _rejected(digit, TORN) if c.cut & torn and digit.accepted else digit
        for c, digit in zip(chosen, digits, strict=True)
    ]


def _unless_sign(digit: Digit, preparation: Preparation, unread: list[Box]) -> Digit:
    """The only digit of a clean drawing is not believed if other marks make it a sign.

    A mark over or under it does, as in ?, !, :, ;, i and j, or a ring beside it, as in a %; a full
    stop beside it, or a sign as high as it is that was not read, does not.
    """
    candidates = [c for row in preparation.rows for c in row.candidates]
    own = frozenset().union(*(c.cut for c in candidates if c.glyph.box == digit.box))
    pieces = [c.glyph.box for c in candidates if not c.cut & own]  # what it is cut from is no mark
    marks = [*preparation.marks, *(box for box in pieces if not _overlap(box, digit.box))]
    dotted = has_dot(preparation.ink_in(digit.box)) or any(
        stand_above_each_other(digit.box, mark) for mark in marks
    )
    if dotted:
        return _rejected(digit, DOTTED)
    ringed = any(is_ring(preparation.ink_in(mark)) for mark in marks if mark not in unread)
    return _rejected(digit, RINGED) if ringed else digit


def _unless_pair(lines: list[list[Digit]]) -> list[list[Digit]]:
    """The only two digits of a clean drawing are not believed if they are rather a : or a %."""
    one, other = (digit for line in lines for digit in line)
    if len(lines) == 2:
        objection = DOTTED if is_colon(one.box, other.box) else ""
    else:
        objection = RINGED if are_uneven(one.box, other.box) else ""
    if not objection:
        return lines
    return [[_rejected(digit, objection) for digit in line] for line in lines]


def _unless_stripes(lines: list[list[Digit]], preparation: Preparation) -> list[list[Digit]]:
    """Nothing but ones is not believed if they are stripes of a pattern.

    Most of them run out of a photograph, or go on beyond their ends in any picture.
    """
    believed = [digit for line in lines for digit in line if digit.accepted]
    if not believed or any(digit.label != 1 for digit in believed):
        return lines
    boxes = [digit.box for digit in believed]
    given = [preparation.in_picture(box) for box in boxes]
    if not preparation.paper.flat and run_out(given, preparation.size[::-1]):
        why = RUNNING
    elif _are_torn_from_lines(preparation, boxes):
        why = STRIPE
    else:
        return lines
    return [[_rejected(d, why) if d.accepted else d for d in line] for line in lines]


def _are_torn_from_lines(preparation: Preparation, boxes: list[Box]) -> bool:
    """Whether most of some strokes go on beyond their ends."""
    even = preparation.paper.even
    strokes = ((preparation.corner(box), preparation.ink_in(box)) for box in boxes)
    return bool(np.mean([goes_on(even, *corner, ink) for corner, ink in strokes]) >= MOST_OUT)


def _rejected(digit: Digit, objection: str) -> Digit:
    """A digit not accepted for what is around it, whatever the network makes of its shape."""
    return replace(digit, accepted=False, verdict=REFUSED, objection=objection)


def _overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a pixel."""
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


def _only_stems(chosen: list[Candidate], digits: list[Digit]) -> set[int]:
    """The connected parts that were cut into several digits, all of them ones."""
    labels: dict[int, list[int]] = {}
    for candidate, digit in zip(chosen, digits, strict=True):
        for part in candidate.cut:
            labels.setdefault(part, []).append(digit.label)
    return {part for part, found in labels.items() if len(found) > 1 and set(found) == {1}}


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


@cache
def champion() -> Recognizer:
    """The model that serves, loaded once in a process."""
    return Recognizer.load()
