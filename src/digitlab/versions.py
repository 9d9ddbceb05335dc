"""Model versions, each written once, in the store; one alias that moves: the champion."""

import hashlib
import io
import json
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from digitlab import recognizer
from digitlab.database import Database
from digitlab.errors import ModelError, StoreError
from digitlab.recognizer import SHIPPED, Calibration, Recognizer
from digitlab.samples import Corrections
from digitlab.schema import (
    aliases,
    evaluations,
    promotions,
    version_files,
    version_samples,
    versions,
)

KINDS = ("shipped", "fine-tuned", "scratch", "imported")
CHAMPION = "champion"
LITERT, KERAS = "model.tflite", "model.keras"
EVALUATIONS = "evaluations"  # folder beside a shipped model: what it was seen to answer

LOOK_SECONDS = 1.0  # so often a process asks which version is champion
RETRY_SECONDS = 30.0  # so long it serves without asking when the store can't be reached


@dataclass(frozen=True)
class Version:
    """A version without its files.

    Attributes
    ----------
    number : 1, 2, 3 …
    kind : one of KINDS.
    parent : number of the version it was trained from, if any.
    created : when it was stored.
    metrics : what was measured, and "calibration".
    settings, history : how it was trained, and how that went.
    card : its model card, Markdown; may be "".
    discarded : when a person decided against it; None if nobody did.
    champion : whether it serves.
    """

    number: int
    kind: str
    parent: int | None
    created: datetime
    metrics: dict
    settings: dict
    history: dict
    card: str
    discarded: datetime | None
    champion: bool


@dataclass(frozen=True)
class NewVersion:
    """What is to be stored as a version.

    Attributes
    ----------
    kind, parent, metrics, settings, history, card : as of `Version`; JSON can hold them.
    tflite : bytes of the model that serves.
    keras : bytes of the .keras file, which training goes on from; None if there is none.
    samples : the corrections used, by what for: {"learn": …, "held back": …}.
    evaluations : arrays to keep, by name of the set: {"mnist test": {"logits": …}}.
    """

    kind: str
    tflite: bytes = field(repr=False)
    metrics: dict
    keras: bytes | None = field(default=None, repr=False)
    parent: int | None = None
    settings: Mapping = field(default_factory=dict)
    history: Mapping = field(default_factory=dict)
    card: str = ""
    samples: Mapping[str, Corrections] = field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)


@dataclass(frozen=True)
class Promotion:
    """One move of the champion.

    Attributes
    ----------
    kind : "promotion" or "roll back".
    before, after : version numbers; `before` is None for the first champion.
    by : who did it.
    created : when.
    """

    kind: str
    before: int | None
    after: int
    by: str
    created: datetime


def store(db: Database, new: NewVersion) -> int:
    """Store a version, whole or not at all; it can't be changed afterwards.

    Returns
    -------
    Its number.

    Raises
    ------
    ModelError if the model does not run or its metrics hold no calibration; StoreError.
    """
    _check(new)
    with db.writing("versions") as connection:
        return _insert(connection, new)


def ensure_shipped(db: Database, folder: Path = SHIPPED) -> int:
    """See to it that the model that comes with the program is in the store.

    It becomes champion where there is none, or where the champion is an older shipped one: a
    model that people trained or chose is never replaced by an update of the program.

    Returns
    -------
    Its number.

    Raises
    ------
    ModelError if the folder's model is missing or damaged; StoreError.
    """
    shipped = _read_folder(folder)
    digest = _digest(shipped)
    with db.reading() as connection:
        found = _shipped_number(connection, digest)
        if found and _champion(connection):
            return found
    _check(shipped)
    with db.writing("versions") as connection:
        found = _shipped_number(connection, digest)
        number = found or _insert(connection, _evaluated(shipped, folder, digest))
        champion = _champion(connection)
        kind = select(versions.c.kind).where(versions.c.number == champion)
        if champion is None or (not found and connection.execute(kind).scalar() == "shipped"):
            _move(connection, "promotion", champion, number, "the program")
    return number


def ship_evaluation(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep an evaluation beside a model that is to ship, so that nobody has to wait for it.

    Parameters
    ----------
    folder : of the model.
    name : of the set it was evaluated on.
    arrays : as for `save_evaluation`.

    Raises
    ------
    ModelError if the folder's model is missing or damaged.
    """
    file = folder / EVALUATIONS / f"{name.replace(' ', '_')}.npz"
    file.parent.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    part.write_bytes(_packed({**arrays, _OF: np.array(_digest(_read_folder(folder)))}))
    part.replace(file)


def _evaluated(shipped: NewVersion, folder: Path, digest: str) -> NewVersion:
    """A shipped model with those evaluations beside it that are of this very model."""
    found = {}
    for file in sorted((folder / EVALUATIONS).glob("*.npz")):
        arrays = _unpacked(file.read_bytes())
        if str(arrays.pop(_OF)) == digest:
            found[file.stem.replace("_", " ")] = arrays
    return replace(shipped, evaluations=found)


_OF = "model"  # the digest of the model that a shipped evaluation is of


def listed(db: Database, discarded: bool = False) -> list[Version]:
    """All versions, the newest first; those that were discarded only if asked for."""
    query = select(versions).order_by(versions.c.number.desc())
    if not discarded:
        query = query.where(versions.c.discarded.is_(None))
    with db.reading() as connection:
        champion = _champion(connection)
        return [_version(row, champion) for row in connection.execute(query).mappings()]


def get(db: Database, number: int) -> Version:
    """One version. Raises ModelError if there is none of that number."""
    with db.reading() as connection:
        row = connection.execute(select(versions).where(versions.c.number == number))
        return _version(_found(row.mappings().one_or_none(), number), _champion(connection))


def file(db: Database, number: int, name: str = LITERT) -> bytes:
    """A file of a version, LITERT or KERAS. Raises ModelError if it has none."""
    query = select(version_files.c.data).where(
        version_files.c.version == number, version_files.c.name == name
    )
    with db.reading() as connection:
        data = connection.execute(query).scalar()
    if data is None:
        raise ModelError(f"There is no {name} of version {number} in the store.")
    return data


def samples_of(db: Database, number: int) -> dict[str, dict[str, int]]:
    """The corrections a version was made with: {"learn": {crop's digest: label then}}."""
    query = select(version_samples).where(version_samples.c.version == number)
    parts: dict[str, dict[str, int]] = {}
    with db.reading() as connection:
        for row in connection.execute(query):
            parts.setdefault(row.part, {})[row.digest] = row.label
    return parts


def champion_number(db: Database) -> int | None:
    """Which version serves; None before `ensure_shipped`. Raises StoreError."""
    with db.reading() as connection:
        return _champion(connection)


def promote(db: Database, number: int, by: str = "") -> Promotion:
    """Make a version the champion.

    Raises
    ------
    ModelError if there is no such version or it was discarded; StoreError.
    """
    with db.writing("versions") as connection:
        query = select(versions.c.discarded).where(versions.c.number == number)
        row = _found(connection.execute(query).one_or_none(), number)
        if row.discarded is not None:
            raise ModelError(f"Version {number} was discarded. Take it back first.")
        promotion = _move(connection, "promotion", _champion(connection), number, by)
    look_again(db)
    return promotion


def roll_back(db: Database, by: str = "") -> Promotion:
    """Make that version champion again that was it before. Raises ModelError if none was."""
    with db.writing("versions") as connection:
        before = _previous(connection)
        if before is None:
            raise ModelError("There is no earlier champion to go back to.")
        promotion = _move(connection, "roll back", _champion(connection), before, by)
    look_again(db)
    return promotion


def previous_champion(db: Database) -> int | None:
    """The version that `roll_back` would go back to, if any. Raises StoreError."""
    with db.reading() as connection:
        return _previous(connection)


def promotion_history(db: Database) -> list[Promotion]:
    """Every move of the champion, the latest first. Raises StoreError."""
    query = select(promotions).where(promotions.c.alias == CHAMPION)
    with db.reading() as connection:
        rows = connection.execute(query.order_by(promotions.c.id.desc())).all()
    return [Promotion(r.kind, r.from_version, r.to_version, r.by, r.created) for r in rows]


def discard(db: Database, number: int, discarded: bool = True) -> None:
    """Decide against a version, or take that back. Raises ModelError for the champion."""
    with db.writing("versions") as connection:
        if discarded and number == _champion(connection):
            raise ModelError(f"Version {number} is the champion. Promote another one first.")
        moment = datetime.now(UTC) if discarded else None
        changed = connection.execute(
            update(versions).where(versions.c.number == number).values(discarded=moment)
        )
        if changed.rowcount != 1:
            _found(None, number)


def save_evaluation(db: Database, number: int, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep arrays about a version, like its predictions on a set; replaces those of that name."""
    values = {"created": datetime.now(UTC), "data": _packed(arrays)}
    with db.writing("versions") as connection:
        _upsert(connection, evaluations, {"version": number, "name": name}, values)


def evaluation(db: Database, number: int, name: str) -> dict[str, np.ndarray] | None:
    """The arrays kept about a version under that name; None if there are none."""
    query = select(evaluations.c.data).where(
        evaluations.c.version == number, evaluations.c.name == name
    )
    with db.reading() as connection:
        data = connection.execute(query).scalar()
    return None if data is None else _unpacked(data)


def load_recognizer(db: Database, number: int, threads: int = 1) -> Recognizer:
    """A version, ready to read. Raises ModelError if there is none such, StoreError."""
    calibration = Calibration(**get(db, number).metrics["calibration"])
    return Recognizer(file(db, number), calibration, str(number), threads)


def champion_recognizer(db: Database | None) -> Recognizer:
    """The champion, ready to read; safe to call for every prediction and from any thread.

    It is kept, and the store is asked once in LOOK_SECONDS whether another process has promoted
    another. What was handed out goes on working. Where the store can't be reached (or is None),
    the last champion serves on, or the shipped model.

    Raises
    ------
    ModelError if even the shipped model can't be loaded.
    """
    if db is None:
        return recognizer.champion()
    return _serving(db).recognizer(db)


def look_again(db: Database) -> None:
    """Let the next `champion_recognizer` ask the store, however lately it did."""
    _serving(db).look_again = 0.0


class _Serving:
    """The champion of one store as this process knows it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._current: Recognizer | None = None
        self.look_again = 0.0  # by time.monotonic

    def recognizer(self, db: Database) -> Recognizer:
        if self._current is not None and time.monotonic() < self.look_again:
            return self._current
        # One thread looks; the others go on with what there is, or wait for the first.
        if self._lock.acquire(blocking=self._current is None):
            try:
                self._look(db)
            finally:
                self._lock.release()
        return self._current

    def _look(self, db: Database) -> None:
        if self._current is not None and time.monotonic() < self.look_again:
            return  # another thread looked while this one waited
        wait = LOOK_SECONDS
        try:
            number = champion_number(db) or ensure_shipped(db)
            if self._current is None or self._current.version != str(number):
                self._current = load_recognizer(db, number)
        except (StoreError, ModelError):
            wait = RETRY_SECONDS
            self._current = self._current or recognizer.champion()
        self.look_again = time.monotonic() + wait


_servings: weakref.WeakKeyDictionary[Database, _Serving] = weakref.WeakKeyDictionary()
_servings_lock = threading.Lock()


def _serving(db: Database) -> _Serving:
    with _servings_lock:
        return _servings.setdefault(db, _Serving())


def _check(new: NewVersion) -> None:
    """A version that would not run is never stored: then promoting can't break serving."""
    if new.kind not in KINDS:
        raise ModelError(f"{new.kind!r} is no kind of version: use one of {', '.join(KINDS)}")
    try:
        calibration = Calibration(**new.metrics["calibration"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"The metrics hold no calibration that fits: {error}") from error
    try:
        beliefs = Recognizer(new.tflite, calibration).classify(np.zeros((1, 28, 28), np.uint8))
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"The model does not take 28x28 ink: {error}") from error
    if not np.isfinite(beliefs.probabilities).all():
        raise ModelError("The model answers with numbers that are none (training diverged).")


def _read_folder(folder: Path) -> NewVersion:
    try:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        tflite = (folder / LITERT).read_bytes()
        keras, card = folder / KERAS, folder / "MODEL_CARD.md"
        return NewVersion(
            "shipped",
            tflite,
            metrics,
            keras=keras.read_bytes() if keras.exists() else None,
            settings=metrics.get("training", {}),
            card=card.read_text(encoding="utf-8") if card.exists() else "",
        )
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"the model in {folder} can't be loaded: {error}") from error


def _digest(new: NewVersion) -> str:
    """Names a version by how it reads: its model and its calibration."""
    calibration = json.dumps(new.metrics.get("calibration"), sort_keys=True).encode()
    return hashlib.sha256(new.tflite + calibration).hexdigest()


def _insert(connection: Connection, new: NewVersion) -> int:
    highest = connection.execute(select(func.max(versions.c.number))).scalar()
    number = (highest or 0) + 1
    connection.execute(
        insert(versions).values(
            number=number,
            kind=new.kind,
            parent=new.parent,
            created=datetime.now(UTC),
            digest=_digest(new),
            metrics=dict(new.metrics),
            settings=dict(new.settings),
            history=dict(new.history),
            card=new.card,
        )
    )
    _insert_parts(connection, number, new)
    return number


def _insert_parts(connection: Connection, number: int, new: NewVersion) -> None:
    files = [(LITERT, new.tflite), (KERAS, new.keras)]
    for name, data in files:
        if data is not None:
            values = {"version": number, "name": name, "data": data}
            connection.execute(insert(version_files).values(values))
    used = [
        {"version": number, "digest": d, "sample": int(i), "label": int(label), "part": part}
        for part, data in new.samples.items()
        for d, i, label in zip(data.digests.tolist(), data.ids, data.labels, strict=True)
    ]
    if used:
        connection.execute(insert(version_samples), used)
    for name, arrays in new.evaluations.items():
        values = {"version": number, "name": name, "created": datetime.now(UTC)}
        connection.execute(insert(evaluations).values(values | {"data": _packed(arrays)}))


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()


def _unpacked(data: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return dict(stored)


def _shipped_number(connection: Connection, digest: str) -> int | None:
    query = select(versions.c.number).where(
        versions.c.digest == digest, versions.c.kind == "shipped"
    )
    return connection.execute(query).scalars().first()


def _champion(connection: Connection) -> int | None:
    return connection.execute(select(aliases.c.version).where(aliases.c.name == CHAMPION)).scalar()


def _move(connection: Connection, kind: str, before: int | None, after: int, by: str) -> Promotion:
    """Point the alias at a version and write down who did it."""
    created = datetime.now(UTC)
    _upsert(connection, aliases, {"name": CHAMPION}, {"version": after})
    if before != after:
        connection.execute(
            insert(promotions).values(
                alias=CHAMPION,
                kind=kind,
                from_version=before,
                to_version=after,
                by=by,
                created=created,
            )
        )
    return Promotion(kind, before, after, by, created)


def _previous(connection: Connection) -> int | None:
    """The champion before this one: promotions pile up, a roll back takes the top one off."""
    pile: list[int] = []
    moves = select(promotions).where(promotions.c.alias == CHAMPION).order_by(promotions.c.id)
    for row in connection.execute(moves):
        # One that was discarded meanwhile is passed over, so a roll back may take off several.
        while row.kind == "roll back" and pile and pile[-1] != row.to_version:
            pile.pop()
        if row.kind == "promotion":
            pile.append(row.to_version)
    gone = select(versions.c.number).where(versions.c.discarded.is_not(None))
    passed = {*connection.execute(gone).scalars(), *pile[-1:]}
    return next((number for number in reversed(pile) if number not in passed), None)


def _upsert(connection: Connection, table, key: dict, values: dict) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(table).values(key | values)
    connection.execute(row.on_conflict_do_update(index_elements=list(key), set_=values))


def _version(row: Mapping, champion: int | None) -> Version:
    names = set(Version.__dataclass_fields__) - {"champion"}
    return Version(champion=row["number"] == champion, **{name: row[name] for name in names})


def _found(row, number: int):
    if row is None:
        raise ModelError(f"There is no version {number} in the store.")
    return row
