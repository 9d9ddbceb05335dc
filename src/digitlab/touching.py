"""Digits that touch, read together by a network, where cuts alone can't tell them apart.

What stands in each column of a strip of ink is decided by connectionist temporal classification
(Graves et al. 2006): a digit, or that nothing begins there. The likeliest strings are found by
prefix beam search (Hannun et al. 2014).
"""

from functools import cache
from pathlib import Path

import numpy as np

from digitlab.frame import ends_of
from digitlab.lattice import path_of
from digitlab.litert import Network, read_model
from digitlab.preprocess import Row

SHIPPED = Path(__file__).resolve().parents[2] / "model" / "strings.tflite"

WIDTH = 12  # strings that the search follows at once
FOUND = 4  # of them that come out
LEAST = -9.0  # a digit with a smaller logarithm of probability is not followed
BEHIND = 4  # columns without ink that are looked at behind the last digit
ALONE = 0.1  # the only digit of a row is one, unless it is believed less
DOUBT = 1e-4  # weight of a digit that none of the strings has in its place
_BLANK = 0
_NEVER = -1e30
_BATCH = 4

String = tuple[int, ...]


class StringReader:
    """A network for strips of touching digits; safe to share between threads.

    Parameters
    ----------
    model : the bytes of a .tflite file with signature strip -> columns.

    Raises
    ------
    ModelError if the bytes are no such model.
    """

    def __init__(self, model: bytes, threads: int = 1):
        self._network = Network(model, threads)

    def __call__(self, strips: np.ndarray) -> list[np.ndarray]:
        """Logarithms of probabilities, (columns, 11) float64, for each of (n, 32, 112) uint8.

        First that no digit begins in a column, then each of the ten. Columns end a little after
        the ink.
        """
        logits = self._network.run(_BATCH, strip=strips)["columns"].astype(np.float64)
        logits -= np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        half = strips.shape[2] / logits.shape[1]
        ends = (ends_of(strips) / half).astype(int) + BEHIND
        return [part[:end] for part, end in zip(logits, ends, strict=True)]


def likely_strings(columns: np.ndarray) -> list[String]:
    """The likeliest strings of at least one digit, best first, by prefix beam search.

    Parameters
    ----------
    columns : (columns, 11) float64, as `StringReader` gives them.
    """
    beam = {(): (0.0, _NEVER)}  # logarithms: the last column begins nothing; is the last digit
    for column in columns:
        beam = _extended(beam, column)
    ranked = sorted(beam, key=lambda string: -np.logaddexp(*beam[string]))
    return [string for string in ranked if string][:FOUND]


def _extended(beam: dict, column: np.ndarray) -> dict:
    """The likeliest beginnings of strings after one more column."""
    longer: dict[String, tuple[float, float]] = {}

    def add(string: String, blank: float, digit: float) -> None:
        before = longer.get(string, (_NEVER, _NEVER))
        longer[string] = np.logaddexp(before[0], blank), np.logaddexp(before[1], digit)

    digits = np.flatnonzero(column[1:] > LEAST)
    for string, (blank, digit) in beam.items():
        either = np.logaddexp(blank, digit)
        same = digit + column[1 + string[-1]] if string else _NEVER
        add(string, either + column[_BLANK], same)
        for new in digits.tolist():
            before = blank if string and string[-1] == new else either
            add((*string, new), _NEVER, before + column[1 + new])
    ranked = sorted(longer, key=lambda string: -np.logaddexp(*longer[string]))
    return {string: longer[string] for string in ranked[:WIDTH]}


def log_likelihood(columns: np.ndarray, string: String) -> float:
    """The logarithm of the probability of a string, by the forward algorithm.

    Parameters
    ----------
    columns : as in `likely_strings`.
    """
    states = np.zeros(2 * len(string) + 1, int)
    states[1::2] = np.array(string, int) + 1
    score = np.full(len(states), _NEVER)
    score[:2] = columns[0, states[:2]]
    leap = np.zeros(len(states), bool)  # no blank is needed between two different digits
    leap[3::2] = states[3::2] != states[1:-2:2]
    for column in columns[1:]:
        one, two = np.roll(score, 1), np.roll(score, 2)
        one[0] = two[:2] = _NEVER
        two[~leap] = _NEVER
        score = np.logaddexp(np.logaddexp(score, one), two) + column[states]
    return float(np.logaddexp.reduce(score[-2:]))


@cache
def shipped() -> StringReader:
    """The network that comes with the program, loaded once in a process.

    Raises ModelError if its file is missing or damaged.
    """
    return StringReader(read_model(SHIPPED))


def together(
    row: Row, path: list[int], shares: np.ndarray, junk: np.ndarray
) -> tuple[list[int], dict[int, np.ndarray]]:
    """A path through a row, with what touches read as both networks together believe it most.

    Parameters
    ----------
    path : indices into `row.candidates`, the classifier's own best.
    shares : (candidates, 10) float, probability that each is each digit.
    junk : (candidates,) float, probability that it is no digit.

    Returns
    -------
    The path, and of each candidate in it that was not in the classifier's, or stood for another
    digit there, how likely the strings make each digit, (10,) float.
    """
    weights: dict[int, np.ndarray] = {}
    doubtful = _doubtful(row, path, shares)
    if not doubtful:
        return path, weights
    read = shipped()(np.stack([row.strip(span) for span, _ in doubtful]))
    for (span, part), columns in zip(doubtful, read, strict=True):
        found = _reread(row, span, part, columns, shares, junk)
        if found is not None:
            better, own = found
            weights |= own
            path = [i for i in path if i not in part] + better
    return sorted(path, key=lambda i: row.candidates[i].first), weights


def _doubtful(
    row: Row, path: list[int], shares: np.ndarray
) -> list[tuple[tuple[int, int], list[int]]]:
    """The spans that may be read better together, and the part of a path that lies in each."""
    found = []
    for first, last in _closed(row, path):
        part = [i for i in path if first <= row.candidates[i].first < last]
        alone = len(part) == 1 and (first, last) == (0, row.pieces)
        if part and not (alone and shares[part[0]].max() >= ALONE):
            found.append(((first, last), part))
    return found


def _closed(row: Row, path: list[int]) -> list[tuple[int, int]]:
    """A row's clumps, each with all pieces of the digits that a path has in it."""
    closed: list[tuple[int, int]] = []
    chosen = [row.candidates[i] for i in path]
    for first, last in row.clumps:
        for c in chosen:
            if c.first < last and c.last > first:
                first, last = min(first, c.first), max(last, c.last)
        if closed and first < closed[-1][1]:
            first, last = closed[-1][0], max(last, closed.pop()[1])
        closed.append((first, last))
    return closed


def _reread(row: Row, span: tuple[int, int], part: list[int], columns, shares, junk):
    """The best path through a part of a row, and its weights; None if it reads as before.

    The best is the likeliest by both: its log belief and its string's log likelihood together.
    """
    before = tuple(int(shares[i].argmax()) for i in part)
    strings = list(dict.fromkeys([before, *likely_strings(columns)]))
    if len(part) == 1:  # of one digit the classifier knows better which it is
        strings = [before, *(string for string in strings if len(string) > 1)]
    likely = np.array([log_likelihood(columns, string) for string in strings])
    beliefs, paths = zip(*(path_of(row, shares, junk, span, s) for s in strings), strict=True)
    best = int(np.argmax(np.array(beliefs) + likely))
    if strings[best] == before:
        return None
    weights = np.full((len(strings[best]), 10), DOUBT)
    for string, own in zip(strings, np.exp(likely - likely.max()), strict=True):
        if len(string) == len(weights):
            weights[np.arange(len(string)), string] += own
    return paths[best], dict(zip(paths[best], weights, strict=True))
