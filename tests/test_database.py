import traceback

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from databases import at_once
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from digitlab import database as store
from digitlab import leases, migrations, samples
from digitlab.database import connect, database_url, new_engine
from digitlab.errors import StoreError
from digitlab.schema import metadata

READY = """
import sys
from digitlab import database, leases
from digitlab.database import connect
import alembic.command
{before}
print("ready", flush=True)
sys.stdin.readline()
{then}
"""


def revision(db) -> str:
    with db.reading() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@pytest.fixture
def nothing_configured(monkeypatch, tmp_path):
    """A home, a working directory and an environment that say nothing about a store."""
    for name in ("DIGITLAB_DATABASE_URL", "DIGITLAB_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(store, "ROOT", tmp_path / "repository")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_first_use_creates_all_tables(empty_url):
    db = connect(empty_url)
    with db.reading() as connection:
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
    db.close()


def test_migrations_make_the_schema_that_the_code_expects(empty_url):
    db = connect(empty_url)
    with db.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    db.close()


def test_processes_that_start_together_migrate_once(empty_url):
    program = READY.format(before="", then="connect(sys.argv[1]).close(); print('done')")
    assert at_once(program, empty_url, processes=4) == ["done"] * 4
    db = connect(empty_url)
    assert revision(db) == migrations.revisions()[-1]
    db.close()


def test_samples_of_the_first_schema_survive_the_upgrade(empty_url):
    engine = new_engine(empty_url)
    store.migrate(engine, "0001")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        assert not inspect(connection).has_table("versions")
        connection.execute(
            text(
                "INSERT INTO samples (id, digest, ink_digest, source, predicted, probabilities, "
                "is_digit, predicted_by, label, loss, confirmed, session, state, created, updated)"
                " VALUES (1, 'a', 'b', 'drawn', 3, '[0,0,0,0.75,0,0,0,0.25,0,0]', 1.0, '1', 7, "
                "1.5, false, 's', 'accepted', '2026-01-02 03:04:05', '2026-01-02 03:04:05')"
            )
        )
        connection.execute(
            text("INSERT INTO pictures (sample, crop, ink) VALUES (1, :crop, :ink)"),
            {"crop": b"png", "ink": bytes(range(256)) * 3 + bytes(16)},
        )
    engine.dispose()

    db = connect(empty_url)
    (sample,) = samples.page(db).samples
    assert (sample.label, sample.predicted, sample.state) == (7, 3, "accepted")
    assert sample.probabilities[3] == 0.75
    assert sample.created.isoformat() == "2026-01-02T03:04:05+00:00"
    assert sample.crop == b"png"
    assert samples.accepted(db).ink[0, 0, 5] == 5
    with db.reading() as connection:
        assert inspect(connection).has_table("versions")
    db.close()


def test_store_of_a_newer_program_is_refused(empty_url):
    db = connect(empty_url)
    with db.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.close()
    with pytest.raises(StoreError, match=r"newer Digit Lab: its schema is 9999.*Update"):
        connect(empty_url)


def test_failed_migration_leaves_nothing_behind(empty_url):
    engine = new_engine(empty_url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("CREATE TABLE jobs (something_else INTEGER)"))
    with pytest.raises(StoreError):
        connect(empty_url)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["jobs"]
    engine.dispose()


def test_transaction_is_undone_when_the_block_raises(database):
    def change_then_fail():
        with database.writing() as connection:
            connection.execute(text("INSERT INTO leases VALUES ('a', 'b', 1)"))
            raise KeyError("stop")

    with pytest.raises(KeyError):
        change_then_fail()
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM leases")).scalar() == 0


def test_sqlite_keeps_what_is_saved_through_a_power_cut(tmp_path):
    db = connect(f"sqlite:///{tmp_path}/a.db")
    with db.reading() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    db.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_unreachable_server_is_named_without_its_password():
    url = "postgresql://someone:geheim%40wort@127.0.0.1:1/digits"
    with pytest.raises(StoreError) as caught:
        connect(url)
    told = "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1:1" in str(caught.value)
    assert "DIGITLAB_DATABASE_URL" in str(caught.value)
    assert "geheim" not in told


def test_wrong_database_is_named(postgresql):
    url = make_url(postgresql.create())
    missing = url.set(database="no_such").render_as_string(hide_password=False)
    with pytest.raises(StoreError, match=r"no_such.*does not exist"):
        connect(missing)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:geheim@host:geheim/digits",
        "mysql://someone:geheim@host/digits",
        "geheim",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_url_that_can_not_be_used_says_what_can(url):
    with pytest.raises(StoreError, match="sqlite:///FILE or postgresql://") as caught:
        connect(url)
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_file_that_is_no_database_is_refused(tmp_path):
    file = tmp_path / "notes.db"
    file.write_text("shopping: milk, bread and a great many other things\n" * 100)
    with pytest.raises(StoreError, match="not a database"):
        connect(f"sqlite:///{file}")


def test_folder_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="DIGITLAB_HOME"):
        connect(f"sqlite:///{tmp_path}/file/inside/a.db")


def test_server_that_went_away_is_reported_and_found_again(postgresql, migrated):
    url = postgresql.create(migrated)
    db = connect(url)
    assert samples.page(db).total == 0
    postgresql.drop(url)
    with pytest.raises(StoreError, match="can't be used"):
        samples.page(db)
    postgresql.create(migrated, make_url(url).database)
    assert samples.page(db).total == 0
    db.close()
    postgresql.drop(url)


def test_store_lies_in_the_repository_by_default(nothing_configured):
    (nothing_configured / "repository").mkdir()
    (nothing_configured / "repository/pyproject.toml").write_text("")
    assert database_url() == f"sqlite:///{nothing_configured}/repository/.digitlab/digitlab.db"


def test_installed_program_keeps_its_store_in_the_home_directory(nothing_configured):
    assert database_url() == f"sqlite:///{nothing_configured}/.digitlab/digitlab.db"


def test_store_is_found_in_the_order_that_is_documented(nothing_configured, monkeypatch):
    monkeypatch.setenv("DIGITLAB_HOME", str(nothing_configured / "data"))
    assert database_url() == f"sqlite:///{nothing_configured}/data/digitlab.db"
    secrets = nothing_configured / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text('[connections.digitlab]\nurl = "postgresql://from-file/x"\n')
    assert database_url() == "postgresql://from-file/x"
    assert database_url("postgresql://from-app/x") == "postgresql://from-app/x"
    monkeypatch.setenv("DIGITLAB_DATABASE_URL", "postgresql://from-environment/x")
    assert database_url("postgresql://from-app/x") == "postgresql://from-environment/x"


def test_secrets_that_are_no_toml_are_reported_without_their_text(nothing_configured):
    secrets = nothing_configured / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text("url = postgresql://me:geheim@host/x")
    with pytest.raises(StoreError, match=r"secrets\.toml") as caught:
        database_url()
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_path_with_odd_signs_is_a_store(tmp_path):
    url = store.sqlite_url(tmp_path / "größe 100 %?#" / "a.db")
    connect(url).close()
    assert (tmp_path / "größe 100 %?#" / "a.db").exists()


def test_one_of_several_processes_gets_the_lease(empty_url):
    connect(empty_url).close()
    program = READY.format(
        before="import os; db = connect(sys.argv[1])",
        then="print(leases.acquire(db, 'training', str(os.getpid()), 60))",
    )
    assert sorted(at_once(program, empty_url, processes=4)) == ["False"] * 3 + ["True"]


def test_lease_is_held_until_it_is_given_back(database):
    assert leases.acquire(database, "training", "first", 60)
    assert not leases.acquire(database, "training", "second", 60)
    assert not leases.renew(database, "training", "second", 60)
    with database.writing() as connection:
        leases.release(connection, "training", "second")
    assert leases.current(database, "training").holder == "first"
    assert leases.acquire(database, "something else", "second", 60)
    with database.writing() as connection:
        leases.release(connection, "training", "first")
    assert leases.current(database, "training") is None
    assert leases.acquire(database, "training", "second", 60)


def test_lease_of_a_dead_holder_runs_out(database):
    assert leases.acquire(database, "training", "dead", 0)
    assert leases.current(database, "training") is None
    assert leases.acquire(database, "training", "next", 60)
    assert not leases.renew(database, "training", "dead", 60)
    assert leases.current(database, "training").holder == "next"


def test_renewed_lease_lasts_longer(database):
    leases.acquire(database, "training", "me", 5)
    assert leases.renew(database, "training", "me", 500)
    assert 490 < leases.current(database, "training").seconds <= 500
