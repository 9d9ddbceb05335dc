"""The store's database, SQLite or PostgreSQL: where it is, its schema, its transactions."""

import os
import threading
import time
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from digitlab import migrations
from digitlab.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]
BUSY_SECONDS = 15  # how long SQLite waits while another process writes
CONNECT_SECONDS = 5  # how long PostgreSQL may take to answer

_migrating = threading.Lock()  # Alembic keeps the running migration in module globals


@dataclass(frozen=True, eq=False)
class Database:
    """An open store, its schema up to date; safe to share between threads, not by a fork.

    Attributes
    ----------
    url : for another process to connect to; it may hold a password, so never show it.
    engine : SQLAlchemy's.
    """

    url: str = field(repr=False)
    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the store throughout. Raises StoreError."""
        with _translated(self.engine), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":  # SQLite does so by itself
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self, lock: str = "") -> Iterator[Connection]:
        """A transaction: all of the block's changes, or none if it raises.

        Parameters
        ----------
        lock : name of what is changed. Blocks with the same name run one after another, from
            whatever process; on SQLite, which has one writer, all do.

        Raises
        ------
        StoreError if the database can't be reached or written.
        """
        with _translated(self.engine), _transaction(self.engine, lock) as connection:
            yield connection

    def close(self) -> None:
        """Close its connections; it opens new ones when used again."""
        self.engine.dispose()


def database_url(secrets_url: str | None = None) -> str:
    """Where the store is.

    The first of: the environment variable DIGITLAB_DATABASE_URL; `secrets_url`; `url` under
    [connections.digitlab] in .streamlit/secrets.toml of the working directory, the repository or
    the home directory; the SQLite file digitlab.db in the folder DIGITLAB_HOME, which is
    .digitlab in the repository unless that variable names another.

    Parameters
    ----------
    secrets_url : what the app found in Streamlit's secrets, if anything.
    """
    named = os.environ.get("DIGITLAB_DATABASE_URL") or secrets_url or _url_in_secrets()
    return named or sqlite_url(home() / "digitlab.db")


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file, whatever signs are in its path."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def home() -> Path:
    """The folder of what Digit Lab keeps on disk."""
    if os.environ.get("DIGITLAB_HOME"):
        return Path(os.environ["DIGITLAB_HOME"]).expanduser().resolve()
    # Installed as a package there is no repository around it.
    return (ROOT if (ROOT / "pyproject.toml").exists() else Path.home()) / ".digitlab"


def _url_in_secrets() -> str | None:
    for folder in (Path.cwd(), ROOT, Path.home()):
        file = folder / ".streamlit" / "secrets.toml"
        try:
            return tomllib.loads(file.read_text("utf-8"))["connections"]["digitlab"]["url"]
        except (KeyError, TypeError, OSError):
            continue
        except ValueError:
            # Its text may quote the line at fault, with the password.
            raise StoreError(f"{file} is no valid TOML file. Correct it and try again.") from None
    return None


def connect(url: str | None = None) -> Database:
    """Open the store, create it if it is new, and bring its schema up to date.

    Parameters
    ----------
    url : sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME; `database_url()` if None.

    Raises
    ------
    StoreError if it can't be reached or was made by a newer program; what to check is said, and
    the password is not.
    """
    engine = new_engine(url or database_url())
    with _translated(engine):
        if engine.dialect.name == "sqlite":
            _use_wal(engine)
        with engine.connect() as connection:
            found = _revision(connection)
        if found != migrations.revisions()[-1]:
            migrate(engine)
    return Database(engine.url.render_as_string(hide_password=False), engine)


def new_engine(url: str) -> Engine:
    """SQLAlchemy's engine for a URL, set up as the store needs it; connects to nothing yet.

    Raises
    ------
    StoreError if the URL is none, or neither SQLite's nor PostgreSQL's.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        # A pooler between us and the server can't keep prepared statements.
        arguments = {"prepare_threshold": None}
        if "connect_timeout" not in parsed.query:
            arguments["connect_timeout"] = CONNECT_SECONDS
        return create_engine(parsed, pool_pre_ping=True, connect_args=arguments)
    _make_folder(Path(parsed.database).parent)
    engine = create_engine(parsed, max_overflow=20)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _parsed(url: str) -> URL:
    # The driver's own messages are left out here: they may quote a part of the password.
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise StoreError(f"The database URL can't be understood. {_FORMS}") from None
    name = parsed.drivername.partition("+")[0]
    if name in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if name == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite+pysqlite")
    raise StoreError(f"A {name} database of this kind can't be used. {_FORMS}")


_FORMS = (
    "Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME, with %40 for @ and %2F for / "
    "in a password."
)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} for the store can't be made: {error.strerror}. Let "
            "DIGITLAB_HOME name a folder that may be written."
        ) from error


def _set_up_sqlite(connection, _record) -> None:
    connection.isolation_level = None  # transactions begin where we say, for tables too
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")  # what is saved outlives a power cut


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that first reads and then writes could find another writer in between.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(engine: Engine) -> None:
    """Readers never wait for the writer then. The file remembers it."""
    give_up = time.monotonic() + BUSY_SECONDS
    raw = engine.raw_connection()
    try:
        while raw.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                raw.execute("PRAGMA journal_mode=WAL")
                break
            except raw.dbapi_connection.OperationalError as error:
                # Two that change the mode at once don't wait for each other by themselves.
                if "locked" not in str(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.02)
    finally:
        raw.close()


@contextmanager
def _transaction(engine: Engine, lock: str) -> Iterator[Connection]:
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if lock and engine.dialect.name == "postgresql":
            key = zlib.crc32(f"digitlab {lock}".encode())
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        yield connection


def _revision(connection: Connection) -> str | None:
    """The number of the last step that the database's schema has taken."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(engine: Engine, to: str | None = None) -> None:
    """Take the steps that are missing, in one transaction; others wait and find them taken.

    Parameters
    ----------
    to : the step to stop after; the last if None.
    """
    from alembic import command
    from alembic.config import Config

    known = migrations.revisions()
    with _migrating, _transaction(engine, "migrations") as connection:
        found = _revision(connection)
        if found is not None and found not in known:
            raise StoreError(
                f"The store was made by a newer Digit Lab: its schema is {found}, and this "
                f"program knows those up to {known[-1]}. Update the program."
            )
        if found != (to or known[-1]):
            config = Config()
            config.set_main_option("script_location", str(migrations.FOLDER).replace("%", "%%"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, to or "head")


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    """What the driver says, as a StoreError; a broken rule of the schema goes through."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise StoreError(_explained(engine.url, error.orig)) from error
    except PoolTimeoutError as error:
        raise StoreError("Too many use the store at once. Try again in a moment.") from error
    except engine.dialect.dbapi.Error as error:
        raise StoreError(_explained(engine.url, error)) from error


def _explained(url: URL, error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = lines[0].replace(url.password, "***") if url.password else lines[0]
    if url.get_backend_name() == "sqlite":
        return (
            f"The store {url.database} can't be used: {reason}. Check that the file may be "
            "written, that the disk is not full and that no other program holds it; "
            "DIGITLAB_HOME names another folder."
        )
    where = f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}"
    return (
        f"The database {url.database} at {where} can't be used: {reason}. Check that the server "
        "runs, and address, user and password in DIGITLAB_DATABASE_URL or under "
        "[connections.digitlab] in .streamlit/secrets.toml."
    )
