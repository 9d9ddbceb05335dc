"""The process of one job: does its work, tells how far it is, and stops when asked to."""

import contextlib
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module

from sqlalchemy import select, update

from digitlab import jobs, leases
from digitlab.database import Database, connect
from digitlab.errors import Cancelled, DigitLabError, StoreError
from digitlab.schema import jobs as table

TELL_SECONDS = 0.5  # so often the store is told, and asked whether to stop
RENEW_SECONDS = 5.0
PATIENCE = 4.0  # seconds that the work may take to stop by itself
GENTLE = 10  # niceness: pages and readings come first


class Report:
    """What the work tells of itself, and how it learns that it is to stop.

    A thread passes it on to the store, so that telling costs the work nothing.
    """

    def __init__(self, db: Database, id: int, lease: str):
        self._db, self._id, self._lease = db, id, lease
        self._began = time.monotonic()
        self._progress: dict = {"stage": "starting", "share": 0.0, "curve": []}
        self._lines: list[str] = []
        self._lock, self._stop, self._over = threading.Lock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def stage(self, name: str, share: float, **numbers) -> None:
        """Say what is being done and how far the whole job is; call it often.

        Parameters
        ----------
        name : in words, like "evaluating".
        share : of the whole job, 0 to 1; it never goes back, whatever is told.
        numbers : more to show; they stay until they are told anew.

        Raises
        ------
        Cancelled if somebody asked the job to stop.
        """
        with self._lock:
            furthest = max(self._progress["share"], round(float(share), 4))
            self._progress |= {"stage": name, "share": furthest, **numbers}
        if self._stop.is_set():
            raise Cancelled("It was cancelled.")

    def point(self, **numbers) -> None:
        """Add a point to the curve that is drawn of the work."""
        with self._lock:
            self._progress["curve"].append(numbers)

    def log(self, line: str) -> None:
        """Keep a line, with its time."""
        with self._lock:
            self._lines.append(f"{datetime.now(UTC):%H:%M:%S}  {line}")

    def begin(self) -> None:
        """Say that the process is up, and go on telling."""
        with self._db.writing("jobs") as connection:
            values = {"state": jobs.RUNNING, "host": socket.gethostname(), "pid": os.getpid()}
            connection.execute(
                update(table)
                .where(table.c.id == self._id, table.c.state == jobs.QUEUED)
                .values(values)
            )
        self._thread.start()

    def end(self) -> None:
        """Tell the last of it."""
        self._over.set()
        self._thread.join()
        self._tell()

    def _watch(self) -> None:
        renewed = -RENEW_SECONDS
        while not self._over.wait(TELL_SECONDS):
            with contextlib.suppress(StoreError):  # it may be back for the next time
                if time.monotonic() - renewed > RENEW_SECONDS:
                    renewed = time.monotonic()
                    held = leases.renew(
                        self._db, self._lease, jobs.holder(self._id), jobs.LEASE_SECONDS
                    )
                    if not held:
                        self._give_up("Another job took its place while the store was away.")
                if self._tell():
                    self._stop.set()
                    if not self._over.wait(PATIENCE):
                        self._give_up(None)

    def _tell(self) -> bool:
        """Write what is new; whether the job is to stop."""
        with self._lock:
            self._progress["seconds"] = round(time.monotonic() - self._began, 1)
            progress = {**self._progress, "curve": list(self._progress["curve"])}
            log = "\n".join(self._lines)
        with self._db.writing("jobs") as connection:
            row = connection.execute(
                update(table)
                .where(table.c.id == self._id)
                .values(progress=progress, log=log, heartbeat=datetime.now(UTC))
                .returning(table.c.cancel, table.c.state)
            ).one_or_none()
        return row is None or row.cancel or row.state not in jobs.ACTIVE

    def _give_up(self, error: str | None) -> None:
        """Leave at once, whatever the work is in the middle of."""
        state = jobs.FAILED if error else jobs.CANCELLED
        jobs.finish(self._db, self._id, state, error=error)
        os._exit(1)


def work(db: Database, id: int) -> None:
    """Do a job that `jobs.start` has put into the store."""
    with db.reading() as connection:
        row = connection.execute(select(table).where(table.c.id == id)).mappings().one()
    name, lease = jobs.KINDS[row["kind"]]
    report = Report(db, id, lease)
    report.begin()
    try:
        ending = {"state": jobs.DONE, "result": _call(name, db, report, row["settings"])}
    except Cancelled:
        ending = {"state": jobs.CANCELLED}
    except DigitLabError as error:
        ending = {"state": jobs.FAILED, "error": str(error)}
    except Exception as error:
        report.log(traceback.format_exc())
        ending = {"state": jobs.FAILED, "error": f"{type(error).__name__}: {error}"}
    report.end()
    jobs.finish(db, id, **ending)


def _call(name: str, db: Database, report: Report, settings: Mapping) -> int | None:
    module, function = name.split(":")
    return getattr(import_module(module), function)(db, report, dict(settings))


def main() -> None:
    """`python -m digitlab.job_process N`."""
    with contextlib.suppress(OSError):
        os.nice(GENTLE)
    db = connect()
    work(db, int(sys.argv[1]))
    db.close()


if __name__ == "__main__":
    main()
