"""Jobs in processes of their own, on both databases: progress, cancel, crash, one at a time."""

import os
import signal
import time
from pathlib import Path

import pytest
from databases import at_once

from digitlab import jobs, leases
from digitlab.errors import BusyError, DataError

WORK = """
import time
from digitlab.errors import DataError

def count(db, report, settings):
    for i in range(settings.get("steps", 3)):
        report.stage("counting", i / settings.get("steps", 3), number=i)
        report.point(step=i, loss=1 / (i + 1))
        report.log(f"counted {i}")
        time.sleep(settings.get("pause", 0))

def deaf(db, report, settings):
    report.stage("deaf", 0.5)
    time.sleep(600)

def fail(db, report, settings):
    raise DataError("There is nothing to count.")

def crash(db, report, settings):
    return 1 / 0
"""


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """Kinds of work that are quick to do; they run in real processes."""
    (tmp_path / "counting.py").write_text(WORK)
    (tmp_path / "sitecustomize.py").write_text(
        "import digitlab.jobs\n"
        "for name in ('count', 'deaf', 'fail', 'crash'):\n"
        "    digitlab.jobs.KINDS[name] = (f'counting:{name}', 'counting')\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(__file__).parent)]))
    for name in ("count", "deaf", "fail", "crash"):
        monkeypatch.setitem(jobs.KINDS, name, (f"counting:{name}", "counting"))


def until(db, id, condition, seconds=60) -> jobs.Job:
    deadline = time.monotonic() + seconds
    while not condition(job := jobs.get(db, id)):
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return job


def ended(db, id) -> jobs.Job:
    return until(db, id, lambda job: not job.active)


def at_work(db, id, stage) -> jobs.Job:
    return until(db, id, lambda job: job.progress["stage"] == stage)


def test_job_tells_how_far_it_is_and_keeps_its_log(database):
    started = jobs.start(database, "count", {"steps": 3})
    assert started.active
    job = ended(database, started.id)
    assert (job.state, job.error, job.settings) == ("done", None, {"steps": 3})
    assert job.progress["number"] == 2
    assert [point["step"] for point in job.progress["curve"]] == [0, 1, 2]
    assert [line[10:] for line in job.log.split("\n")] == ["counted 0", "counted 1", "counted 2"]
    assert job.finished is not None
    assert leases.current(database, "counting") is None


def test_second_job_is_refused_while_one_is_at_work(database):
    first = jobs.start(database, "count", {"steps": 200, "pause": 0.1})
    with pytest.raises(BusyError, match="one at a time"):
        jobs.start(database, "deaf", {})
    assert jobs.latest(database, "deaf") is None
    jobs.cancel(database, first.id)
    assert ended(database, first.id).state == "cancelled"
    again = jobs.start(database, "count", {"steps": 1})
    assert ended(database, again.id).state == "done"


START = """
import os, sys, digitlab.jobs as jobs
from digitlab.database import connect
from digitlab.errors import BusyError
os.environ["PYTHONPATH"] = sys.argv[2]
jobs.KINDS["count"] = ("counting:count", "counting")
db = connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    print(jobs.start(db, "count", {"steps": 100, "pause": 0.1}).id)
except BusyError:
    print("busy")
"""


def test_of_two_that_are_started_at_once_one_is_refused(database):
    answers = at_once(START, database.url, os.environ["PYTHONPATH"], processes=2)
    assert sorted(answer == "busy" for answer in answers) == [False, True]
    (id,) = (int(answer) for answer in answers if answer != "busy")
    jobs.cancel(database, id)
    ended(database, id)


def test_cancelled_job_stops(database):
    id = jobs.start(database, "count", {"steps": 1000, "pause": 0.1}).id
    at_work(database, id, "counting")
    jobs.cancel(database, id)
    job = ended(database, id)
    assert job.state == "cancelled"
    assert job.progress["number"] < 900


def test_job_that_does_not_listen_is_stopped_all_the_same(database):
    id = jobs.start(database, "deaf", {}).id
    at_work(database, id, "deaf")
    jobs.cancel(database, id)
    assert ended(database, id).state == "cancelled"


def test_error_on_purpose_is_shown_as_it_is(database):
    job = ended(database, jobs.start(database, "fail", {}).id)
    assert (job.state, job.error) == ("failed", "There is nothing to count.")


def test_crash_is_shown_with_its_trace_in_the_log(database):
    job = ended(database, jobs.start(database, "crash", {}).id)
    assert (job.state, job.error) == ("failed", "ZeroDivisionError: division by zero")
    assert "Traceback" in job.log


def test_killed_job_has_failed_and_another_can_start(database):
    id = jobs.start(database, "deaf", {}).id
    at_work(database, id, "deaf")
    os.kill(_pid(database, id), signal.SIGKILL)
    job = ended(database, id)
    assert job.state == "failed"
    assert "signal 9" in job.error or "process is gone" in job.error
    again = jobs.start(database, "count", {"steps": 1})
    assert ended(database, again.id).state == "done"


def test_job_of_another_machine_has_failed_when_its_lease_ran_out(database, monkeypatch):
    monkeypatch.setattr("digitlab.jobs.socket.gethostname", lambda: "elsewhere")
    id = jobs.start(database, "deaf", {}).id
    at_work(database, id, "deaf")
    os.kill(_pid(database, id), signal.SIGSTOP)  # as if the network between us were cut
    try:
        assert jobs.get(database, id).active
        with database.writing() as connection:
            leases.release(connection, "counting", jobs.holder(id))
        _make_older(database, id)
        assert jobs.get(database, id).state == "failed"
    finally:
        os.kill(_pid(database, id), signal.SIGKILL)


def test_unknown_job_is_an_error(database):
    with pytest.raises(DataError, match="no job 99"):
        jobs.get(database, 99)


def _pid(db, id) -> int:
    from sqlalchemy import select

    from digitlab.schema import jobs as table

    with db.reading() as connection:
        return connection.execute(select(table.c.pid).where(table.c.id == id)).scalar_one()


def _make_older(db, id) -> None:
    from datetime import UTC, datetime, timedelta

    from sqlalchemy import update

    from digitlab.schema import jobs as table

    with db.writing() as connection:
        older = datetime.now(UTC) - timedelta(minutes=5)
        connection.execute(update(table).where(table.c.id == id).values(created=older))
