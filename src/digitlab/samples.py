"""What people taught: each crop with its ink, what was predicted and what it really is, in SQL."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from numbers import Real

import numpy as np
from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from digitlab import images
from digitlab.crops import crop_around, digest_of, is_bare, picture_of, to_png
from digitlab.database import Database
from digitlab.errors import DataError
from digitlab.recognizer import Digit
from digitlab.schema import feedback, pictures, samples

NOT_A_DIGIT = 10
"""The label of what is no digit."""

LABELS = tuple(range(11))
SOURCES = ("drawn", "uploaded", "camera", "imported")
STATES = ("pending", "accepted", "rejected")
NEWEST, MOST_WRONG = SORTS = ("newest", "most wrong")

KEPT_AFTER_DELETION = timedelta(days=1)  # that long, an undo is possible

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")  # of a version or a session
_CHUNK = 500  # rows in one statement


@dataclass(frozen=True, eq=False)
class Sample:
    """One digit that somebody labelled.

    Attributes
    ----------
    crop : PNG bytes of the digit in its picture; b"" if there is only ink.
    ink : (28, 28) uint8, what the network saw.
    label : what it is: 0 to 9, or NOT_A_DIGIT.
    source : one of SOURCES.
    probabilities : of 0 to 9 if it is a digit; None where nothing was predicted.
    is_digit : probability that it is a digit at all; None likewise.
    version : name of the model version that predicted.
    confirmed : whether the person said "right".
    session : anonymous and random; None for what was imported.
    state : one of STATES; None keeps that of the same sample, and is pending for a new one.
    created : when; None is now.
    id : in the store; None before it is there.
    """

    crop: bytes
    ink: np.ndarray
    label: int
    source: str
    probabilities: tuple[float, ...] | None = None
    is_digit: float | None = None
    version: str | None = None
    confirmed: bool = False
    session: str | None = None
    state: str | None = None
    created: datetime | None = None
    id: int | None = None

    @classmethod
    def of_digit(
        cls,
        image: np.ndarray,
        digit: Digit,
        label: int,
        source: str,
        version: str,
        session: str | None = None,
        confirmed: bool = False,
    ) -> "Sample":
        """What a person said about one digit that was read in `image`, as `recognize` got it."""
        is_digit = min(1.0, digit.confidence / max(*digit.probabilities, 1e-9))
        return cls(
            crop=to_png(crop_around(image, digit.box)),
            ink=digit.ink,
            label=label,
            source=source,
            probabilities=digit.probabilities,
            is_digit=is_digit,
            version=version,
            confirmed=confirmed,
            session=session,
        )

    @property
    def predicted(self) -> int | None:
        """The likeliest of the eleven labels; None where nothing was predicted."""
        if self.probabilities is None:
            return None
        chances = [share * self.is_digit for share in self.probabilities]
        best = max(range(10), key=chances.__getitem__)
        return best if chances[best] >= 1 - self.is_digit else NOT_A_DIGIT

    @property
    def confidence(self) -> float | None:
        """Probability that it is a digit and the likeliest one; None likewise."""
        return None if self.probabilities is None else max(self.probabilities) * self.is_digit

    @property
    def loss(self) -> float:
        """How wrong the model was: -log of the probability it gave the label; 0 if it gave none."""
        if self.probabilities is None:
            return 0.0
        chance = 1 - self.is_digit
        if self.label != NOT_A_DIGIT:
            chance = self.probabilities[self.label] * self.is_digit
        return -math.log(min(1.0, max(chance, 1e-12)))


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


def count_feedback(db: Database, version: str, right: bool, times: int = 1) -> None:
    """Count an answer that was called right or wrong but is not kept; -1 takes it back."""
    with db.writing("samples") as connection:
        _count(connection, (version, _verdict(right), _today(), times))


def feedback_counts(db: Database) -> dict[str, dict[str, int]]:
    """How often each version was called right and wrong: {"1": {"right": 20, "wrong": 3}}."""
    found: dict[str, dict[str, int]] = {}
    query = select(feedback.c.version, feedback.c.verdict, func.sum(feedback.c.count))
    with db.reading() as connection:
        for version, verdict, count in connection.execute(
            query.group_by(feedback.c.version, feedback.c.verdict)
        ):
            found.setdefault(version, {"right": 0, "wrong": 0})[verdict] = int(count)
    return found


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
    _check(label in LABELS, f"{label} is no label: use 0 to 9, or 10 for what is no digit")
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
    _check(state in STATES, f"{state} is no state: use {', '.join(STATES)}")
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
                _count(connection, (version, verdict, day, -times))
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
            _count(connection, entry)
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


def check(sample: Sample) -> None:
    """Raise DataError saying what is wrong with a sample, if anything is."""
    ink = sample.ink
    _check(ink.shape == (28, 28) and ink.dtype == np.uint8, "the ink is not 28x28 bytes")
    _check(sample.label in LABELS, f"{sample.label!r} is no label from 0 to 10")
    _check(sample.source in SOURCES, f"{sample.source!r} is no source")
    _check(sample.state in (None, *STATES), f"{sample.state!r} is no state")
    year = sample.created.year if sample.created else 2000
    _check(1980 <= year < 2200, f"{sample.created} is no time at which this can have been made")
    for name in filter(None, (sample.version, sample.session)):
        _check(_NAME.fullmatch(name) is not None, f"{name[:80]!r} is no name of a version")
    if sample.probabilities is None:
        return
    shares = (*sample.probabilities, sample.is_digit)
    right = len(shares) == 11 and all(isinstance(p, Real) and 0 <= p <= 1 for p in shares)
    _check(right, "the probabilities are not ten numbers from 0 to 1, and one for being a digit")


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise DataError(message)


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
            entries.append((old["predicted_by"], _verdict(old["confirmed"]), day, -1))
        if new["predicted_by"]:
            entries.append((new["predicted_by"], _verdict(new["confirmed"]), day, 1))
    return entries


def _count(connection: Connection, entry: tuple) -> None:
    version, verdict, day, times = entry
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(feedback).values(version=version, verdict=verdict, day=day, count=times)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=list(feedback.primary_key),
            set_={"count": feedback.c.count + row.excluded["count"]},
        )
    )


def _verdict(right: bool) -> str:
    return "right" if right else "wrong"


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
