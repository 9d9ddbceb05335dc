import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from corrections import mnist
from handwriting import centred, on_white, written
from PIL import Image

from digitlab import samples, versions
from digitlab.cli import main
from digitlab.database import connect
from digitlab.versions import NewVersion


@pytest.fixture
def store(database, monkeypatch):
    """An open store that the commands find by the environment."""
    monkeypatch.setenv("DIGITLAB_DATABASE_URL", database.url)
    return database


@pytest.fixture
def two_versions(store):
    """A store with the shipped model and another version."""
    versions.ensure_shipped(store)
    shipped = versions.get(store, 1)
    metrics = shipped.metrics | {"mnist_test": {"accuracy": 0.9971}}
    versions.store(store, NewVersion("fine-tuned", versions.file(store, 1), metrics, parent=1))
    return store


def test_first_command_creates_the_store_with_the_shipped_model(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIGITLAB_DATABASE_URL", f"sqlite:///{tmp_path}/new/store.db")
    assert main(["versions"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["version", "kind", "parent"]
    assert line.split()[:3] == ["*", "1", "shipped"]


def test_versions_are_listed_with_the_champion_marked(two_versions, capsys):
    assert main(["versions"]) == 0
    _, second, first = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["*", "1"]
    assert second.split()[:3] == ["2", "fine-tuned", "1"]
    assert second.endswith("99.71%")


def test_versions_as_json_say_everything(two_versions, capsys):
    assert main(["versions", "--json"]) == 0
    second, first = json.loads(capsys.readouterr().out)
    assert first["champion"]
    assert not second["champion"]
    assert second["metrics"]["mnist_test"]["accuracy"] == 0.9971
    assert second["created"].endswith("+00:00")


def test_discarded_versions_are_listed_if_asked_for(two_versions, capsys):
    versions.discard(two_versions, 2)
    main(["versions"])
    assert len(capsys.readouterr().out.splitlines()) == 2
    main(["versions", "--all"])
    assert "discarded" in capsys.readouterr().out


def test_promote_moves_the_champion_and_says_so(two_versions, capsys):
    assert main(["promote", "2"]) == 0
    assert capsys.readouterr().out == "version 2 is the champion now; it was 1\n"
    assert versions.champion_number(two_versions) == 2
    assert main(["promote", "2"]) == 0
    assert "already" in capsys.readouterr().out


def test_promoting_what_is_not_there_is_an_error(two_versions, capsys):
    assert main(["promote", "9"]) == 1
    assert "no version 9" in capsys.readouterr().err
    assert versions.champion_number(two_versions) == 1


@pytest.mark.parametrize("form", ["zip", "npz", "csv"])
def test_corrections_go_out_and_come_back(store, tmp_path, capsys, form):
    samples.add_all(store, mnist(9))
    file = str(tmp_path / f"out.{form}")
    assert main(["corrections", "export", file]) == 0
    assert capsys.readouterr().out == f"9 samples written to {file}\n"
    assert main(["corrections", "import", file]) == 0
    assert capsys.readouterr().out == "0 new, 0 changed, 9 known\n"


def test_only_one_state_is_exported(store, tmp_path):
    samples.add_all(store, mnist(9))
    file = tmp_path / "out.npz"
    assert main(["corrections", "export", str(file), "--state", "accepted"]) == 0
    with np.load(file) as arrays:
        assert len(arrays["y"]) == 3


def test_imported_pictures_get_the_champions_prediction(store, tmp_path, capsys):
    picture = tmp_path / "a.png"
    Image.fromarray(on_white(centred(written("5")))).save(picture)
    blank = tmp_path / "blank.png"
    Image.new("L", (40, 40), 255).save(blank)
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(picture, "5/a.png")
        archive.write(blank, "5/blank.png")
    assert main(["corrections", "import", str(tmp_path / "in.zip")]) == 0
    told = capsys.readouterr()
    assert told.out == "1 new, 0 changed, 0 known\n"
    assert "no ink in it: 5/blank.png" in told.err
    (sample,) = samples.page(store).samples
    assert (sample.predicted, sample.version) == (5, "1")


def test_file_that_is_no_export_changes_nothing(store, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("milk, bread")
    assert main(["corrections", "import", str(tmp_path / "notes.txt")]) == 1
    assert "785" in capsys.readouterr().err
    assert main(["corrections", "import", str(tmp_path / "missing.zip")]) == 1
    assert "missing.zip can't be read" in capsys.readouterr().err
    assert samples.page(store).total == 0


def test_failed_export_leaves_the_former_file(store, tmp_path, capsys):
    file = tmp_path / "out.zip"
    file.write_text("the former one")
    assert main(["corrections", "export", str(file)]) == 1
    assert "no samples" in capsys.readouterr().err
    assert file.read_text() == "the former one"
    assert list(tmp_path.glob("*.part")) == []


def test_unknown_form_is_bad_usage(store):
    with pytest.raises(SystemExit) as ended:
        main(["corrections", "export", "out.png"])
    assert ended.value.code == 2


def test_unreachable_database_is_an_error_without_the_password(monkeypatch, capsys):
    monkeypatch.setenv("DIGITLAB_DATABASE_URL", "postgresql://me:geheim@127.0.0.1:1/x")
    assert main(["versions"]) == 1
    told = capsys.readouterr().err
    assert "127.0.0.1:1" in told
    assert "geheim" not in told


def test_reading_from_the_terminal_does_not_wait_for_the_database_library():
    program = "import digitlab.cli, sys; print('sqlalchemy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert answer.stdout.split() == [b"False"]


def test_commands_use_the_store_that_the_app_uses(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)
    (tmp_path / ".streamlit").mkdir()
    url = f"sqlite:///{tmp_path}/from-secrets.db"
    (tmp_path / ".streamlit/secrets.toml").write_text(f'[connections.digitlab]\nurl = "{url}"\n')
    monkeypatch.chdir(tmp_path)
    assert main(["versions"]) == 0
    db = connect(url)
    assert versions.champion_number(db) == 1
    db.close()


def test_retraining_without_corrections_says_what_is_needed(store, capsys):
    assert main(["retrain", "--seconds", "1"]) == 1
    said = capsys.readouterr().err
    assert "failed: There are 0 accepted corrections, and at least 5 are needed" in said
    assert [version.number for version in versions.listed(store)] == [1]
