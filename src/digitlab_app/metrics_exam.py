"""What the Metrics page is about: versions, their answers on a set, and the set's pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from digitlab import evaluating, samples, versions
from digitlab.database import Database
from digitlab.evaluating import CORRECTIONS, MNIST, Evaluated
from digitlab.versions import Version

UPLOAD = "upload"

Ink = Callable[[Sequence[int]], list[np.ndarray | None]]
"""Gets places in the set; gives the ink of each, None where it is gone."""


@dataclass(frozen=True, eq=False)
class Exam:
    """A version on a set.

    Attributes
    ----------
    name : of the set.
    evaluated : what it answered.
    ink : of the set's pictures.
    """

    version: Version
    name: str
    evaluated: Evaluated
    ink: Ink

    @property
    def title(self) -> str:
        """What the version is called in legends."""
        return f"Version {self.version.number}"

    @property
    def key(self) -> str:
        """Keeps widgets about this exam apart from those about another."""
        return f"{self.version.number}-{self.name}"


def kept_exam(db: Database, version: Version, name: str) -> Exam | None:
    """A version on MNIST or on the corrections, if that is evaluated and still true."""
    if name == MNIST:
        try:
            found = _on_mnist(db, version, (db.url, version.number, version.created))
        except LookupError:
            return None
        return Exam(version, name, found, _ink_of_mnist)
    if not evaluating.is_current(db, version.number, CORRECTIONS):
        return None
    found = evaluating.load(db, version, CORRECTIONS)
    return found and Exam(version, name, found, lambda places: _ink_of(db, found, places))


@st.cache_resource(max_entries=8, show_spinner=False)
def _on_mnist(_db: Database, _version: Version, key: tuple) -> Evaluated:
    """Read and unpacked once. Raises LookupError if there is none, so that none is not kept."""
    found = evaluating.load(_db, _version, MNIST)
    if found is None:
        raise LookupError(MNIST)
    return found


def _ink_of_mnist(places: Sequence[int]) -> list[np.ndarray | None]:
    ink = evaluating.mnist_digits().ink
    return [ink[place] for place in places]


def _ink_of(db: Database, found: Evaluated, places: Sequence[int]) -> list[np.ndarray | None]:
    """Of corrections, some of which may have been deleted meanwhile."""
    ids = [int(found.ids[place]) for place in places]
    known = {sample.id: sample.ink for sample in samples.get(db, ids)}
    return [known.get(id) for id in ids]


@st.cache_data(max_entries=32, show_spinner=False)
def about(_db: Database, key: tuple, number: int) -> tuple[int, dict[str, dict[str, int]]]:
    """Bytes of a version's file, and the corrections that it was made with."""
    return len(versions.file(_db, number)), versions.samples_of(_db, number)


def known_to(db: Database, exam: Exam) -> np.ndarray:
    """(n,) bool, which of the corrections the version has learnt from."""
    _, parts = about(db, (db.url, exam.version.created), exam.version.number)
    learnt = list(parts.get("learn", {}))
    return np.isin(exam.evaluated.digests, np.array(learnt, "U64"))
