"""What a visitor has set on the Corrections page: kept while they look at another one."""

from dataclasses import dataclass, field, replace

import streamlit as st

from digitlab.database import Database
from digitlab.samples import EVERYTHING, NEWEST, NOT_A_DIGIT, Change, Filter, counts, undo

PER_PAGE = 48
CROP, INK = PICTURES = ("as written", "as the model saw it")


@dataclass(frozen=True)
class Done:
    """The last action in words, and what takes it back; None if nothing does."""

    text: str
    change: Change | None = None


@dataclass(frozen=True)
class Prepared:
    """A file ready to be downloaded, and what it was made of."""

    name: str
    data: bytes = field(repr=False)
    count: int
    form: str
    wanted: Filter


@dataclass
class View:
    """The settings of one visitor, and the last thing they did.

    Attributes
    ----------
    wanted, sort, picture : which samples are shown, in which order, and how.
    number : of the page, from 1.
    pager : tells the widget that turns the pages from the one before the last change of these.
    done : the last action; it stays until the next one.
    problem : why the last action failed, "" if it did not.
    prepared : the file that was made for a download, if any.
    actions : how many there were, so that the browser hears of each.
    uploads : how many files were taken in; each next one gets a fresh widget.
    """

    wanted: Filter = EVERYTHING
    sort: str = NEWEST
    picture: str = CROP
    number: int = 1
    pager: int = 0
    done: Done | None = None
    problem: str = ""
    prepared: Prepared | None = None
    actions: int = 0
    uploads: int = 0

    def choose(self, **values: tuple | bool | None) -> None:
        """Change a part of the filter."""
        self.wanted = replace(self.wanted, **values)
        self.to_first_page()

    def order(self, sort: str) -> None:
        """Change the order, if it is another."""
        if sort != self.sort:
            self.sort = sort
            self.to_first_page()

    def turn_to(self, number: int, pager: int) -> None:
        """Show a page; a pager of before may still speak when clicks follow each other fast."""
        if pager == self.pager:
            self.number = number

    def to_first_page(self) -> None:
        """Show the first page; a widget can be set to it only by being another one."""
        self.number = 1
        self.pager += 1

    def tell(self, text: str, change: Change | None = None) -> None:
        """Note an action; a file made before it is out of date."""
        self.done, self.problem, self.prepared = Done(text, change), "", None
        self.actions += 1

    def refuse(self, problem: str) -> None:
        """Note why an action failed; the one before it can still be undone."""
        self.problem = problem
        self.actions += 1

    def take_back(self, db: Database) -> None:
        """Undo the last action, if it can be. Raises StoreError."""
        if self.done is None or self.done.change is None:
            return
        change = self.done.change
        count = undo(db, change)
        touched = len(change.created) + len(change.before)
        text = f"Undone: {numbered(count)} as before."
        if count < touched:
            text += f" {touched - count:,} more had been changed again since and stay as they are."
        self.tell(text)


def current_view() -> View:
    """This session's view."""
    return st.session_state.setdefault("corrections", View())


def numbered(count: int) -> str:
    """The number of samples in words: "1 sample", "1,204 samples"."""
    return f"{count:,} sample{'' if count == 1 else 's'}"


def named(label: int | None) -> str:
    """A label as it is shown."""
    return {None: "nothing", NOT_A_DIGIT: "not a digit"}.get(label, str(label))


def facet_counts(db: Database, wanted: Filter, parts: dict[str, str]) -> dict[str, dict]:
    """How many samples each choice of a filter would show, the other choices as they are.

    Parameters
    ----------
    parts : from a field of `Filter` to the name that `samples.counts` has for it.

    Returns
    -------
    From each field to a dict from value to number, and "all", the number that match everything.
    """
    found = counts(db, wanted)
    total = found["all"].get("all", 0)
    facets = {}
    for part, name in parts.items():
        empty = getattr(EVERYTHING, part)
        free = getattr(wanted, part) == empty
        facets[part] = (found if free else counts(db, replace(wanted, **{part: empty})))[name]
    return facets | {"all": {"all": total}}
