"""Long work in processes of its own: one job of a kind at a time, watched through the store.

Whoever opens the store sees the same jobs: other sessions, other servers, the terminal. A lease
in the database says who works; a job that lost its lease, or whose process is gone, has failed.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, select, update

from digitlab import leases
from digitlab.database import Database
from digitlab.errors import BusyError, DataError
from digitlab.schema import jobs

KINDS = {
    "retrain": ("digitlab.retraining:run", "training"),
    "experiment": ("digitlab.experiments:run", "training"),
    "evaluate": ("digitlab.evaluating:run", "evaluation"),
    "export": ("digitlab.export:run", "export"),
}
"""By kind: the function that does the work, (database, report, settings) -> version number or
None; and the lease that it holds meanwhile."""

QUEUED, RUNNING, DONE, FAILED, CANCELLED = STATES = (
    "queued",
    "running",
    "done",
    "failed",
    "cancelled",
)
ACTIVE = (QUEUED, RUNNING)

LEASE_SECONDS = 45.0  # so long a job may be silent before another may start
START_SECONDS = 90.0  # so long its process may take to come up
_SOURCES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Job:
    """One piece of long work.

    Attributes
    ----------
    id : in the store.
    kind : one of KINDS.
    state : one of STATES.
    progress : "stage" in words, "share" done from 0 to 1, "seconds" since it began, "curve" and
        whatever else the work tells of itself.
    log : its lines, each with its time.
    settings : what it was started with.
    result : number of the version it made, if any.
    error : why it failed, fit to show a person; None otherwise.
    cancelling : whether somebody asked it to stop.
    created, finished : when.
    """

    id: int
    kind: str
    state: str
    progress: dict
    log: str
    settings: dict
    result: int | None
    error: str | None
    cancelling: bool
    created: datetime
    finished: datetime | None

    @property
    def active(self) -> bool:
        """Whether it is still at work."""
        return self.state in ACTIVE

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take at the pace so far; None before that can be told."""
        share, spent = self.progress.get("share", 0), self.progress.get("seconds", 0)
        return spent * (1 - share) / share if self.active and share > 0.02 else None


def start(db: Database, kind: str, settings: Mapping) -> Job:
    """Start a job in a process of its own, which outlives this one.

    Parameters
    ----------
    kind : one of KINDS.
    settings : what its function takes; JSON can hold it.

    Raises
    ------
    BusyError if a job that needs the same lease is at work; StoreError.
    """
    lease = KINDS[kind][1]
    _settle_all(db, lease)
    id = _insert(db, kind, settings)
    if not leases.acquire(db, lease, holder(id), START_SECONDS):
        with db.writing("jobs") as connection:
            connection.execute(delete(jobs).where(jobs.c.id == id))
        raise BusyError(
            f"Another {lease} is at work already, and there can be one at a time. Wait until it "
            "is done, or cancel it."
        )
    try:
        process = _spawn(db, id)
    except OSError as error:
        finish(db, id, FAILED, error=f"Its process could not be started: {error.strerror}.")
        raise
    # Somebody has to take note of the end, or the process stays on as a zombie.
    threading.Thread(target=_await_end, args=(db, id, process), daemon=True).start()
    return get(db, id)


def get(db: Database, id: int) -> Job:
    """A job as it is now. Raises DataError if there is none of that number, StoreError."""
    with db.reading() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == id)).mappings().one_or_none()
    if row is None:
        raise DataError(f"There is no job {id}.")
    return _settled(db, row)


def latest(db: Database, kind: str) -> Job | None:
    """The job of a kind that was started last, if there ever was one. Raises StoreError."""
    found = listed(db, kind, 1)
    return found[0] if found else None


def listed(db: Database, kind: str, limit: int = 20) -> list[Job]:
    """Jobs of a kind, the newest first. Raises StoreError."""
    query = select(jobs).where(jobs.c.kind == kind).order_by(jobs.c.id.desc()).limit(limit)
    with db.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return [_settled(db, row) for row in rows]


def cancel(db: Database, id: int) -> None:
    """Ask a job to stop; it does within a few seconds. One that has ended stays as it is."""
    with db.writing("jobs") as connection:
        connection.execute(
            update(jobs).where(jobs.c.id == id, jobs.c.state.in_(ACTIVE)).values(cancel=True)
        )


def finish(
    db: Database, id: int, state: str, result: int | None = None, error: str | None = None
) -> bool:
    """Note how a job ended, unless that is known already, and give back its lease."""
    with db.writing("jobs") as connection:
        ended = connection.execute(
            update(jobs)
            .where(jobs.c.id == id, jobs.c.state.in_(ACTIVE))
            .values(state=state, result=result, error=error, finished=datetime.now(UTC))
        )
        kind = connection.execute(select(jobs.c.kind).where(jobs.c.id == id)).scalar_one()
        # With it, so that whoever sees that it has ended can start the next.
        leases.release(connection, KINDS[kind][1], holder(id))
    return ended.rowcount == 1


def holder(id: int) -> str:
    """What a job is called as the holder of a lease."""
    return f"job {id}"


def _insert(db: Database, kind: str, settings: Mapping) -> int:
    with db.writing("jobs") as connection:
        return connection.execute(
            insert(jobs)
            .values(
                kind=kind,
                state=QUEUED,
                progress={"stage": "starting", "share": 0.0, "seconds": 0.0},
                log="",
                settings=dict(settings),
                cancel=False,
                created=datetime.now(UTC),
            )
            .returning(jobs.c.id)
        ).scalar_one()


def _spawn(db: Database, id: int) -> subprocess.Popen:
    paths = os.pathsep.join([str(_SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "digitlab.job_process", str(id)],
        # The URL may hold a password: other users can see arguments, but not the environment.
        env={**os.environ, "DIGITLAB_DATABASE_URL": db.url, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C for the server is not meant for the job
    )


def _await_end(db: Database, id: int, process: subprocess.Popen) -> None:
    code = process.wait()
    with contextlib.suppress(Exception):  # the store may be gone by then; the lease runs out
        finish(db, id, FAILED, error=_explain_end(code))


def _explain_end(code: int) -> str:
    how = f"signal {-code}" if code < 0 else f"exit status {code}"
    why = " The machine may have run out of memory." if code == -9 else ""
    return f"Its process ended before its work was done ({how}).{why} Start it again."


def _settle_all(db: Database, lease: str) -> None:
    """Take note of dead jobs that still hold a lease."""
    for kind, (_, needed) in KINDS.items():
        if needed == lease:
            latest(db, kind)


def _settled(db: Database, row: Mapping) -> Job:
    """A job; one that nobody works on any more is noted as failed first."""
    if row["state"] in ACTIVE and _is_dead(db, row):
        message = "Its process is gone: it was stopped, or its machine was. Start it again."
        if finish(db, row["id"], FAILED, error=message):
            row = {**row, "state": FAILED, "error": message, "finished": datetime.now(UTC)}
        else:
            return get(db, row["id"])
    return _job(row)


def _is_dead(db: Database, row: Mapping) -> bool:
    if row["host"] == socket.gethostname() and not _runs(row["pid"]):
        return True
    lease = leases.current(db, KINDS[row["kind"]][1])
    if lease is not None and lease.holder == holder(row["id"]):
        return False
    # The row is there a moment before the lease is taken.
    return row["created"] < datetime.now(UTC) - timedelta(seconds=10)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _job(row: Mapping) -> Job:
    names = ("id", "kind", "state", "progress", "log", "settings", "result", "error")
    return Job(
        **{name: row[name] for name in names},
        cancelling=row["cancel"],
        created=row["created"],
        finished=row["finished"],
    )
