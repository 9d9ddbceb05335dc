"""What people taught: each crop with its ink, what was predicted and what it really is, in SQL."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from digitlab import images
from digitlab.crops import digest_of, is_bare, picture_of, to_png
from digitlab.database import Database
from digitlab.feedback import count_feedback, feedback_counts, tally, verdict
from digitlab.sample import LABELS, NOT_A_DIGIT, SOURCES, STATES, Sample, check, require
from digitlab.schema import pictures, samples

NEWEST, MOST_WRONG = SORTS = ("newest", "most wrong")

KEPT_AFTER_DELETION = timedelta(days=1)  # that long, an undo is possible

_CHUNK = 500  # rows in one statement


@dataclass(frozen=True)
class Filter:
    """Which samples are meant; what is empty or None does not limit.

    Attributes
    ----------
    labels, predicted : of 0 to 10.
    states, sources, versions : names.
    confirmed : True for what people called right, False for what they corrected.
    """

    labels: tuple[int, ...] = ()
    predicted: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    confirmed: bool | None = None


EVERYTHING = Filter()


@dataclass(frozen=True)
class Page:
    """A part of the samples, and how many there are in all."""

    samples: tuple[Sample, ...]
    total: int


@dataclass(frozen=True)
class Change:
    """What one call did, enough to take it back with `undo`; may be kept in a session.

    Attributes
    ----------
    ids : the samples it touched, in the order that they were given.
    created : those of them that are new.
    before : the rows of the others as they were.
    counted : what it added to the feedback: version, verdict, day, number.
    stamp : when; a sample that somebody changed later is not taken back.
    """

    ids: tuple[int, ...]
    created: tuple[int, ...]
    before: tuple[Mapping, ...]
    counted: tuple[tuple, ...]
    stamp: datetime

    @property
    def id(self) -> int:
        """The sample, of a change to one."""
        return self.ids[0]


@dataclass(frozen=True, eq=False)
class Corrections:
    """Samples to learn from; may be indexed like an array.

    Attributes
    ----------
    ink : (n, 28, 28) uint8.
    labels : (n,) int64, 0 to 10.
    ids : (n,) int64.
    digests : (n,) str, each names its crop for ever.
    """

    ink: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    digests: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index) -> "Corrections":
        return Corrections(
            self.ink[index], self.labels[index], self.ids[index], self.digests[index]
        )


def add(db: Database, sample: Sample) -> Change:
    """Keep what a person said about a digit, and count it.

    The same crop again is the same sample: it gets the new label and prediction, and waits for a
    review again if the label differs.

    Returns
    -------
    Change; its `id` is the sample's, and `undo` takes all of it back.

    Raises
    ------
    DataError if the sample is not in order; StoreError if it can't be kept.
    """
    return _put(db, [sample], counts=True)


def add_all(db: Database, many: Sequence[Sample]) -> Change:
    """Keep samples that were made elsewhere: all of them, or none if one is not in order.

    Not counted as feedback. Samples without a crop are the same if their ink is. Raises as `add`.
    """
    return _put(db, many, counts=False)


def page(
    db: Database, wanted: Filter = EVERYTHING, sort: str = NEWEST, offset: int = 0, limit: int = 48
) -> Page:
    """A page of the gallery, and how many samples match. Raises StoreError."""
    order = (
        (samples.c.loss, samples.c.id) if sort == MOST_WRONG else (samples.c.created, samples.c.id)
    )
    chosen = _matching(select(samples.c.id), wanted).order_by(*(c.desc() for c in order))
    with db.reading() as connection:
        total = connection.execute(_matching(select(func.count(samples.c.id)), wanted)).scalar()
        ids = connection.execute(chosen.offset(offset).limit(limit)).scalars().all()
        found = {sample.id: sample for sample in _load(connection, ids)}
    return Page(tuple(found[id] for id in ids if id in found), total)


def ids(db: Database, wanted: Filter = EVERYTHING) -> tuple[int, ...]:
    """All samples that match, the newest first: to do something with the whole of a filter."""
    query = _matching(select(samples.c.id), wanted).order_by(samples.c.id.desc())
    with db.reading() as connection:
        return tuple(connection.execute(query).scalars())


def get(db: Database, wanted: Sequence[int]) -> list[Sample]:
    """Samples by id, in that order, without those that are gone. Raises StoreError."""
    with db.reading() as connection:
        found = {sample.id: sample for sample in _load(connection, wanted)}
    return [found[id] for id in wanted if id in found]


def each(db: Database, wanted: Filter = EVERYTHING) -> Iterator[Sample]:
    """Samples that match, the oldest first, a few in memory at a time. Raises StoreError."""
    query = _matching(select(samples.c.id), wanted).order_by(samples.c.id).limit(_CHUNK)
    last = 0
    while True:
        with db.reading() as connection:
            part = connection.execute(query.where(samples.c.id > last)).scalars().all()
            found = sorted(_load(connection, part), key=lambda sample: sample.id)
        yield from found
        if len(part) < _CHUNK:
            return
        last = part[-1]


def counts(db: Database, wanted: Filter = EVERYTHING) -> dict[str, dict]:
    """How many samples there are of what, to write beside each choice of a filter.

    Returns
    -------
    By "label", "predicted", "state", "source", "version" and "confirmed", each a dict from value
    to number; and by "all", {"all": the number}. What does not occur is left out.
    """
    columns = {
        "label": samples.c.label,
        "predicted": samples.c.predicted,
        "state": samples.c.state,
        "source": samples.c.source,
        "version": samples.c.predicted_by,
        "confirmed": samples.c.confirmed,
    }
    query = _matching(select(*columns.values(), func.count()), wanted).group_by(*columns.values())
    found = {name: Counter() for name in columns}
    total = 0
    with db.reading() as connection:
        for *values, count in connection.execute(query):
            total += count
            for name, value in zip(columns, values, strict=True):
                found[name][value] += count
    return {name: dict(counter) for name, counter in found.items()} | {"all": {"all": total}}


def accepted(db: Database) -> Corrections:
    """All samples that were accepted, the oldest first. Raises StoreError."""
    query = (
        _matching(
            select(samples.c.id, samples.c.label, samples.c.digest, pictures.c.ink),
            Filter(states=("accepted",)),
        )
        .join(pictures)
        .order_by(samples.c.id)
    )
    with db.reading() as connection:
        rows = connection.execute(query).all()
    ink = np.frombuffer(b"".join(row.ink for row in rows), np.uint8).reshape(-1, 28, 28)
    return Corrections(
        ink,
        np.array([row.label for row in rows], np.int64),
        np.array([row.id for row in rows], np.int64),
        np.array([row.digest for row in rows], "U64"),
    )


def relabel(db: Database, wanted: Iterable[int], label: int) -> Change:
    """Say what samples really are. Raises DataError for no label, StoreError."""
    require(label in LABELS, f"{label} is no label: use 0 to 9, or 10 for what is no digit")
    with db.writing("samples") as connection:
        change = _begin(connection, wanted)
        values = {"label": label, "updated": change.stamp}
        rows = [
            values | {"id": row["id"], "loss": replace(_sample(row), label=label).loss}
            for row in change.before
        ]
        _set_each(connection, rows)
    return change


def set_state(db: Database, wanted: Iterable[int], state: str) -> Change:
    """Accept, reject, or put back to pending. Raises DataError for no state, StoreError."""
    require(state in STATES, f"{state} is no state: use {', '.join(STATES)}")
    with db.writing("samples") as connection:
        change = _begin(connection, wanted)
        _set(connection, change.ids, state=state, updated=change.stamp)
    return change


def remove(db: Database, wanted: Iterable[int]) -> Change:
    """Delete samples; `undo` brings them back within a day, then they are gone for good."""
    with db.writing("samples") as connection:
        change = _begin(connection, wanted)
        _set(connection, change.ids, deleted=change.stamp, updated=change.stamp)
        connection.execute(
            delete(samples).where(samples.c.deleted < change.stamp - KEPT_AFTER_DELETION)
        )
    return change


def undo(db: Database, change: Change) -> int:
    """Take a change back, but not of samples that were changed again since.

    Returns
    -------
    How many samples were taken back.
    """
    with db.writing("samples") as connection:
        fresh = set()
        for part in _chunks(change.ids):
            query = select(samples.c.id).where(
                samples.c.id.in_(part), samples.c.updated == change.stamp
            )
            fresh.update(connection.execute(query).scalars())
        for part in _chunks([id for id in change.created if id in fresh]):
            connection.execute(delete(samples).where(samples.c.id.in_(part)))
        _set_each(connection, [row for row in change.before if row["id"] in fresh])
        if fresh:
            for version, verdict, day, times in change.counted:
                tally(connection, (version, verdict, day, -times))
    return len(fresh)


def _put(db: Database, many: Sequence[Sample], counts: bool) -> Change:
    """Insert what is new and renew what is known, in one transaction."""
    prepared = {row["digest"]: row for row in map(_prepared, many)}
    with db.writing("samples") as connection:
        stamp = _now()
        known = _known(connection, prepared.values())
        new = [row for digest, row in prepared.items() if digest not in known]
        created = _insert(connection, new, stamp)
        renewed = [
            known[digest]
            for digest, row in prepared.items()
            if digest in known and _renew(connection, known[digest], row, stamp, counts)
        ]
        entries = _entries(prepared, known, created, stamp) if counts else ()
        for entry in entries:
            tally(connection, entry)
    ids = tuple(known[d]["id"] if d in known else created[d] for d in prepared)
    return Change(ids, tuple(created.values()), tuple(renewed), tuple(entries), stamp)


def _prepared(sample: Sample) -> dict:
    """A sample's columns, its ink and its crop, checked."""
    check(sample)
    crop = sample.crop or picture_of(sample.ink)
    if not is_bare(crop):
        crop = to_png(images.decode(crop))
    ink, shares = sample.ink.tobytes(), sample.probabilities
    return {
        "digest": digest_of(crop),
        "ink_digest": hashlib.sha256(ink).hexdigest(),
        "ink": ink,
        "crop": crop,
        "only_ink": not sample.crop,
        "source": sample.source,
        "predicted": sample.predicted,
        "probabilities": shares and [float(share) for share in shares],
        "is_digit": None if shares is None else float(sample.is_digit),
        "predicted_by": sample.version,
        "label": sample.label,
        "loss": sample.loss,
        "confirmed": sample.confirmed,
        "session": sample.session,
        "state": sample.state,
        "created": sample.created,
    }


_ROW = tuple(c for c in samples.c if c.name not in ("digest", "ink_digest"))


def _known(connection: Connection, prepared: Iterable[dict]) -> dict[str, dict]:
    """The rows of those that are in the store, by the digest they were given."""
    by_crop = {row["digest"]: row["digest"] for row in prepared if not row["only_ink"]}
    by_ink = {row["ink_digest"]: row["digest"] for row in prepared if row["only_ink"]}
    found = {}
    for column, wanted in ((samples.c.digest, by_crop), (samples.c.ink_digest, by_ink)):
        for part in _chunks(wanted):
            query = select(*_ROW, column.label("key")).where(column.in_(part))
            # The later ones win: the first that is not deleted comes last.
            query = query.order_by(samples.c.deleted.is_(None), samples.c.id.desc())
            for row in connection.execute(query).mappings():
                found[wanted[row["key"]]] = {k: v for k, v in row.items() if k != "key"}
    return found


def _insert(connection: Connection, new: list[dict], stamp: datetime) -> dict[str, int]:
    """Insert rows and their pictures; the ids by digest."""
    created = {}
    columns = [c.name for c in samples.c if c.name not in ("id", "updated", "deleted")]
    for part in _chunks(new):
        rows = [
            {name: row[name] for name in columns}
            | {"updated": stamp, "created": row["created"] or stamp}
            | {"state": row["state"] or "pending"}
            for row in part
        ]
        answer = insert(samples).returning(samples.c.id, samples.c.digest)
        made = {digest: id for id, digest in connection.execute(answer, rows)}
        connection.execute(
            insert(pictures),
            [{"sample": made[r["digest"]], "crop": r["crop"], "ink": r["ink"]} for r in part],
        )
        created |= {row["digest"]: made[row["digest"]] for row in part}
    return created


def _renew(connection: Connection, old: dict, new: dict, stamp: datetime, seen: bool) -> bool:
    """Give a known sample its new label and state; False if there is nothing new.

    It gets the new prediction only if that was `seen` by the person who gave the label.
    """
    values = {"label": new["label"], "deleted": None}
    if new["probabilities"] is not None and (seen or old["probabilities"] is None):
        names = ("predicted", "probabilities", "is_digit", "predicted_by", "confirmed")
        values |= {name: new[name] for name in names}
    if new["session"] is not None:
        values["session"] = new["session"]
    again = old["deleted"] is not None or old["label"] != new["label"]
    values["state"] = new["state"] or ("pending" if again else old["state"])
    values["loss"] = _sample(old | values).loss
    if all(old[name] == value for name, value in values.items()):
        return False
    _set(connection, [old["id"]], updated=stamp, **values)
    return True


def _entries(prepared: dict, known: dict, created: dict, stamp: datetime) -> list[tuple]:
    """What to count: each sample that a person gave stands for one answer, its latest."""
    entries = []
    for digest, new in prepared.items():
        old = known.get(digest)
        day = (old["created"] if old else stamp).date()
        if old and old["session"] is not None and old["predicted_by"]:
            entries.append((old["predicted_by"], verdict(old["confirmed"]), day, -1))
        if new["predicted_by"]:
            entries.append((new["predicted_by"], verdict(new["confirmed"]), day, 1))
    return entries


def _begin(connection: Connection, wanted: Iterable[int]) -> Change:
    """What is about to be changed, as it is now; those that are gone are left out."""
    before = []
    for part in _chunks(wanted):
        query = select(*_ROW).where(samples.c.id.in_(part), samples.c.deleted.is_(None))
        before += [dict(row) for row in connection.execute(query).mappings()]
    return Change(tuple(row["id"] for row in before), (), tuple(before), (), _now())


def _set(connection: Connection, wanted: Iterable[int], **values) -> None:
    for part in _chunks(wanted):
        connection.execute(update(samples).where(samples.c.id.in_(part)).values(**values))


def _set_each(connection: Connection, rows: list[Mapping]) -> None:
    """Give each sample values of its own; all rows have the same columns, `id` among them."""
    if rows:
        columns = {name: bindparam(f"new_{name}") for name in rows[0] if name != "id"}
        statement = update(samples).where(samples.c.id == bindparam("new_id")).values(columns)
        connection.execute(statement, [{f"new_{k}": v for k, v in r.items()} for r in rows])


def _matching(query: Select, wanted: Filter) -> Select:
    query = query.where(samples.c.deleted.is_(None))
    for column, values in (
        (samples.c.label, wanted.labels),
        (samples.c.predicted, wanted.predicted),
        (samples.c.state, wanted.states),
        (samples.c.source, wanted.sources),
        (samples.c.predicted_by, wanted.versions),
    ):
        if values:
            query = query.where(column.in_(values))
    return (
        query if wanted.confirmed is None else query.where(samples.c.confirmed == wanted.confirmed)
    )


def _load(connection: Connection, wanted: Sequence[int]) -> Iterator[Sample]:
    for part in _chunks(wanted):
        query = select(*_ROW, pictures.c.crop, pictures.c.ink).join(pictures)
        query = query.where(samples.c.id.in_(part), samples.c.deleted.is_(None))
        for row in connection.execute(query).mappings():
            ink = np.frombuffer(row["ink"], np.uint8).reshape(28, 28)
            yield replace(_sample(row), crop=row["crop"], ink=ink)


def _sample(row: Mapping) -> Sample:
    """A sample without its pictures."""
    shares = row["probabilities"]
    return Sample(
        crop=b"",
        ink=_NO_INK,
        label=row["label"],
        source=row["source"],
        probabilities=None if shares is None else tuple(shares),
        is_digit=row["is_digit"],
        version=row["predicted_by"],
        confirmed=row["confirmed"],
        session=row["session"],
        state=row["state"],
        created=row["created"],
        id=row["id"],
    )


_NO_INK = np.zeros((28, 28), np.uint8)


def _chunks(items: Iterable) -> Iterator[list]:
    items = list(items)
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def _now() -> datetime:
    return datetime.now(UTC)


def _today() -> date:
    return _now().date()


__all__ = [
    "EVERYTHING",
    "LABELS",
    "MOST_WRONG",
    "NEWEST",
    "NOT_A_DIGIT",
    "SORTS",
    "SOURCES",
    "STATES",
    "Change",
    "Corrections",
    "Filter",
    "Page",
    "Sample",
    "accepted",
    "add",
    "add_all",
    "check",
    "count_feedback",
    "counts",
    "each",
    "feedback_counts",
    "get",
    "ids",
    "page",
    "relabel",
    "remove",
    "set_state",
    "undo",
]
