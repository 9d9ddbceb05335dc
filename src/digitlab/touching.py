"""Digits that touch, read together by a network, where cuts alone can't tell them apart; and what
it makes of what stands alone.

What stands in each column of a strip of ink is decided by connectionist temporal classification
(Graves et al. 2006): a digit, another sign, or that nothing begins there. The likeliest strings are
found by prefix beam search (Hannun et al. 2014).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from digitlab.frame import ends_of
from digitlab.lattice import path_of
from digitlab.litert import Network, read_model
from digitlab.preprocess import Row

SHIPPED = Path(__file__).resolve().parents[2] / "model" / "strings.tflite"

WIDTH = 12  # strings that the search follows at once
FOUND = 6  # of them that come out
OTHER = 10  # in a string: a sign that is no digit
LEAST = -9.0  # a sign with a smaller logarithm of probability is not followed
BEHIND = 4  # columns without ink that are looked at behind the last digit
ALONE = 0.1  # the only digit of a row is one, unless it is believed less
DOUBT = 1e-4  # weight of a digit that none of the strings has in its place
BELIEF = 1.69, 0.13, 0.46
"""A constant, and what the log odds of the classifier and of the strings count for: fitted on
synthetic touching numbers, and letters and symbols, of hands that no training saw, by
scripts/fit_belief.py."""
SECOND = -0.46, 0.46
"""A constant, and what the strings' log odds of a digit that stands alone count for beside the
classifier's, in whether it is one at all; likewise."""
LIMIT = 9.0  # of those log odds: none counts for more
AGREED = 0.9  # agreement from which the classifier's confidence is not lowered
EDGE = 1e-3  # confidence nearer to 0 or 1 counts as if it were no nearer
SURE = 1e-6  # likewise, of the probability that something is a digit
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
        """Logarithms of probabilities, (columns, 12) float64, for each of (n, 32, 112) uint8.

        First that nothing begins in a column, then each of the ten digits and any other sign.
        Columns end a little after the ink.
        """
        logits = self._network.run(_BATCH, strip=strips)["columns"].astype(np.float64)
        logits -= np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        half = strips.shape[2] / logits.shape[1]
        ends = (ends_of(strips) / half).astype(int) + BEHIND
        return [part[:end] for part, end in zip(logits, ends, strict=True)]


def likely_strings(columns: np.ndarray) -> list[String]:
    """The likeliest strings of at least one sign, best first, by prefix beam search.

    Parameters
    ----------
    columns : (columns, 12) float64, as `StringReader` gives them.
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


def seconded(likeness: float, strip: np.ndarray) -> float:
    """Both networks' probability that what stands alone is a digit.

    Parameters
    ----------
    likeness : the classifier's.
    strip : (32, 112) uint8, of what stands alone.
    """
    constant, weight = SECOND
    own, other = odds_of_digit(likeness, strip)
    return float(1 / (1 + np.exp(-(constant + own + weight * other))))


def odds_of_digit(likeness: float, strip: np.ndarray) -> tuple[float, float]:
    """The log odds that what stands alone is a digit: the classifier's, and the strings'.

    Parameters
    ----------
    likeness, strip : as in `seconded`.
    """
    (columns,) = shipped()(strip[None])
    return log_odds(likeness, SURE), min(max(alone_odds(columns), -LIMIT), LIMIT)


def alone_odds(columns: np.ndarray) -> float:
    """The log odds that a strip's only sign is a digit rather than another one.

    Parameters
    ----------
    columns : as in `likely_strings`.
    """
    blank, signs = columns[:, :1], columns[:, 1:]
    # Of a sign from column i up to column j, what is blank before and behind it counts, too.
    gained = np.cumsum(signs - blank, axis=0)
    before = np.vstack([np.zeros(gained.shape[1]), gained[:-1]])
    places = np.where(
        np.tri(len(columns), dtype=bool).T[..., None], gained[None] - before[:, None], _NEVER
    )
    odds = np.logaddexp.reduce(places, axis=(0, 1))
    return float(np.logaddexp.reduce(odds[:OTHER]) - odds[OTHER])


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
    one, two = np.full((2, len(states)), _NEVER)  # what came one and two states before
    for column in columns[1:]:
        one[1:], two[2:] = score[:-1], np.where(leap[2:], score[:-2], _NEVER)
        score = np.logaddexp(np.logaddexp(score, one), two) + column[states]
    return float(np.logaddexp.reduce(score[-2:]))


@cache
def shipped() -> StringReader:
    """The network that comes with the program, loaded once in a process.

    Raises ModelError if its file is missing or damaged.
    """
    return StringReader(read_model(SHIPPED))


@dataclass(frozen=True)
class Opinion:
    """What the string reader makes of one digit of a part that it read.

    Attributes
    ----------
    agreement : probability, 0 to 1, that this digit stands in its place, among the likely strings.
    weights : (10,) float, how likely the strings make each digit; None where the digit is the
        classifier's own choice, which knows better which one it is.
    """

    agreement: float
    weights: np.ndarray | None = None

    def pooled(self, probabilities: np.ndarray) -> np.ndarray:
        """Both networks' probabilities of the ten digits, (10,), of the classifier's.

        Both saw the same ink: they count half each (a logarithmic opinion pool, Genest and Zidek
        1986), since as if they were independent they would be too sure together.
        """
        if self.weights is None:
            return probabilities
        both = np.sqrt(probabilities * self.weights)
        return both / both.sum()

    def believed(self, confidence: float) -> float:
        """Both networks' confidence, of the classifier's: a logistic regression on both.

        Where both are high it is too cautious: the classifier's own confidence then holds.
        """
        constant, first, second = BELIEF
        odds = constant + first * log_odds(confidence) + second * log_odds(self.agreement)
        both = float(1 / (1 + np.exp(-odds)))
        return max(both, confidence) if self.agreement >= AGREED else both


def log_odds(probability: float, edge: float = EDGE) -> float:
    """The logarithm of a probability's odds, of one that is never nearer to 0 or 1 than `edge`."""
    held = min(max(probability, edge), 1 - edge)
    return float(np.log(held / (1 - held)))


def together(
    row: Row, path: list[int], shares: np.ndarray, junk: np.ndarray
) -> tuple[list[int], dict[int, Opinion | None]]:
    """A path through a row, with what touches read as both networks together believe it most.

    Parameters
    ----------
    path : indices into `row.candidates`, the classifier's own best.
    shares : (candidates, 10) float, probability that each is each digit.
    junk : (candidates,) float, probability that it is no digit.

    Returns
    -------
    The path, and what the strings say of its candidates that lie in what touches; None where
    that is one digit and stays it.
    """
    doubtful = _doubtful(row, path, shares)
    if not doubtful:
        return path, {}
    opinions: dict[int, Opinion | None] = {}
    read = shipped()(np.stack([row.strip(span) for span, _ in doubtful]))
    for (span, part), columns in zip(doubtful, read, strict=True):
        own = _reread(row, span, part, columns, shares, junk)
        opinions |= own
        path = [i for i in path if i not in part] + list(own)
    return sorted(path, key=lambda i: row.candidates[i].first), opinions


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


def _reread(
    row: Row, span: tuple[int, int], part: list[int], columns, shares, junk
) -> dict[int, Opinion | None]:
    """The best path through a part of a row, and what the strings say of each of its digits.

    The best is the likeliest by both: its log belief and its string's log likelihood together.
    """
    before = tuple(int(shares[i].argmax()) for i in part)
    strings = list(dict.fromkeys([before, *likely_strings(columns)]))
    likely = np.array([log_likelihood(columns, string) for string in strings])
    possible = [s for s in range(len(strings)) if s == 0 or _is_number(strings[s], part)]
    beliefs, paths = zip(
        *(path_of(row, shares, junk, span, strings[s]) for s in possible), strict=True
    )
    chosen = int(np.argmax(np.array(beliefs) + likely[possible]))
    best = strings[possible[chosen]]
    places = _by_place(strings, np.exp(likely - np.logaddexp.reduce(likely)), len(best))
    agreed = places[np.arange(len(best)), best].tolist()
    if best == before:
        alone = len(best) == 1
        return {i: None if alone else Opinion(s) for i, s in zip(part, agreed, strict=True)}
    weights = places[:, :OTHER] + DOUBT
    return {i: Opinion(*found) for i, *found in zip(paths[chosen], agreed, weights, strict=True)}


def _is_number(string: String, part: list[int]) -> bool:
    """Whether a part may be read so: of one digit the classifier knows better which it is."""
    return OTHER not in string and (len(part) > 1 or len(string) > 1)


def _by_place(strings: list[String], chances: np.ndarray, length: int) -> np.ndarray:
    """How likely each sign is in each place of a string of a length, (length, 11) float.

    Parameters
    ----------
    chances : of each string; those of another length say nothing for any sign.
    """
    places = np.zeros((length, OTHER + 1))
    for string, chance in zip(strings, chances, strict=True):
        if len(string) == length:
            places[np.arange(length), string] += chance
    return places
