"""The Experiments page, run by Streamlit's own test harness on results that are known."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from digitlab import experiment_results, experiments, jobs, leases
from digitlab.database import connect
from digitlab.experiment_grid import OPTIMISERS, planned

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The store that the page opens."""
    monkeypatch.setenv("DIGITLAB_HOME", str(tmp_path))
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)
    db = connect(f"sqlite:///{tmp_path}/digitlab.db")
    yield db
    db.close()


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The folder that the page reads, empty at first."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setattr(experiment_results, "RESULTS", folder)
    return folder


def found(accuracy: float, images: int = 3000, epochs: int = 8) -> dict:
    curve = [
        {"epoch": n, "seen": n * images, "loss": 1 / n, "val_accuracy": accuracy - 0.1 / n}
        for n in range(1, epochs + 1)
    ]
    return {
        "parameters": 10_330,
        "curve": curve,
        "test": {"images": 10_000, "right": round(10_000 * accuracy)},
        "train_seconds": 4.0,
        "predict_ms": 0.05,
    }


def fill(folder: Path) -> None:
    """Two depths, all optimisers, two seeds: two layers are a point better than one."""
    for depth in (1, 2):
        for name in OPTIMISERS:
            for seed in (0, 1):
                run = planned(f"plain-{depth}", name, seed)
                experiments.write(folder, run, found(0.94 + 0.01 * depth + 0.001 * seed))


def opened(**state) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "experiments.py"), default_timeout=60)
    for key, value in state.items():
        page.session_state[key.replace("_", "-")] = value
    page.run()
    assert not page.exception
    return page


def text(page: AppTest) -> str:
    parts = (*page.markdown, *page.caption, *page.info, *page.error)
    return "\n".join(part.value for part in parts)


def ended_with(db, settings: dict, **ending) -> None:
    """A live experiment that is over, as its process would have left it."""
    id = jobs._insert(db, "experiment", settings)
    progress = ending.pop("progress", {})
    with db.writing("jobs") as connection:
        table = jobs.jobs
        connection.execute(table.update().where(table.c.id == id).values(progress=progress))
    jobs.finish(db, id, **ending)


def test_page_without_results_says_how_to_make_them(store, results):
    page = opened()
    assert "There are no results yet" in page.info[0].value
    assert any("digitlab experiment" in block.value for block in page.code)
    assert page.button(key="experiment-start")


def test_page_answers_out_of_the_results(store, results):
    fill(results)
    said = text(opened())
    assert "16 runs, each with the same 3,000" in said
    assert "Two layers read best: 96.05 %" in said
    assert "1 to 2, +1.00" in said


def test_table_has_a_row_for_each_network_and_training_best_first(store, results):
    fill(results)
    (table,) = opened().dataframe  # none of rates, since none were tried
    assert len(table.value) == 2 * 4
    assert list(table.value["accuracy"]) == pytest.approx([96.05] * 4 + [95.05] * 4)
    assert set(table.value["seeds"]) == {2}


@pytest.mark.parametrize("kind", ["Layers", "Optimisers"])
def test_curves_are_of_what_is_compared(store, results, kind):
    fill(results)
    page = opened(experiments_kind=kind, experiments_in="plain-2")
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    names = [trace["name"] for trace in figure["data"] if "name" in trace]
    wanted = ["1 layer", "2 layers"] if kind == "Layers" else 4
    assert (names if kind == "Layers" else len(names)) == wanted


def test_damaged_result_is_named_and_an_experiment_can_be_started_still(store, results):
    fill(results)
    torn = next(results.glob("*.json"))
    torn.write_text("{")
    page = opened()
    assert torn.name in page.error[0].value
    assert page.button(key="experiment-start")


def test_committed_results_are_shown(store):
    said = text(opened())
    assert "How many layers?" in said
    assert "Which optimiser?" in said


def test_second_training_is_refused_in_words(store, results):
    assert leases.acquire(store, "training", "somebody else", 60)
    page = opened()
    page.button(key="experiment-start").click().run()
    assert "one at a time" in page.error[0].value
    assert jobs.latest(store, "experiment") is None


def test_last_live_experiment_is_held_beside_the_committed_runs(store, results):
    fill(results)
    settings = asdict(planned("plain-2", "adam", 4, 1000, 3))
    settings = {k: settings[k] for k in ("architecture", "recipe", "seed", "images", "epochs")}
    mine = found(0.9123, 1000, 3)
    progress = {"stage": "done", "share": 1.0, "curve": mine["curve"], "found": mine}
    ended_with(store, settings, state=jobs.DONE, progress=progress)
    page = opened()
    said = text(page)
    assert "**The last experiment: 91.23 %**" in said
    assert "2 layers, Adam, 1,000 images, 3 epochs, seed 4" in said
    assert "read 96.05 ± 0.07 % after 24,000 images seen" in said
    figure = json.loads(page.get("plotly_chart")[-1].proto.spec)
    names = [trace.get("name") for trace in figure["data"]]
    assert names[1:] == ["the committed runs", "the live run"]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ({"state": jobs.FAILED, "error": "There was no room."}, "failed.** There was no room."),
        ({"state": jobs.CANCELLED}, "was cancelled"),
    ],
)
def test_experiment_that_ended_badly_says_so(store, results, ending, words):
    ended_with(store, {"architecture": "plain-1", "recipe": "adam"}, **ending)
    page = opened()
    assert words in text(page)
    assert page.button(key="experiment-start")


def test_waiting_time_is_told_before_it_is_started(store, results):
    assert "half a minute" in text(opened())
    fill(results)
    assert "Takes about" in text(opened(experiment_network="plain-2"))


@pytest.mark.training
def test_visitor_trains_a_network_and_another_is_cancelled(store, results):
    page = opened(experiment_images=500, experiment_epochs=1, experiment_network="plain-1")
    page.button(key="experiment-start").click().run()
    job = jobs.latest(store, "experiment")
    assert job.settings["images"] == 500
    job = _ended(store, job.id)
    assert job.state == jobs.DONE, job.error
    assert [row["seen"] for row in job.progress["curve"]] == [500]
    assert job.progress["found"]["test"]["right"] > 1500
    page.run()
    assert "The last experiment" in text(page)
    page.button(key="experiment-start").click().run()
    page.button(key=f"cancel-{jobs.latest(store, 'experiment').id}").click().run()
    assert _ended(store, jobs.latest(store, "experiment").id).state == jobs.CANCELLED
    assert leases.current(store, "training") is None


def _ended(db, id: int) -> jobs.Job:
    import time

    deadline = time.monotonic() + 120
    while (job := jobs.get(db, id)).active:
        assert time.monotonic() < deadline, job
        time.sleep(0.2)
    return job


@pytest.mark.parametrize("more", [{"images": 9000}, {"epochs": 50}])
def test_live_experiment_is_kept_small(store, more):
    settings = {"architecture": "plain-1", "recipe": "adam", "seed": 0, "images": 500, "epochs": 1}
    with pytest.raises(experiments.DataError, match=r"at most 5,000 images and 10 epochs"):
        experiments.run(store, None, settings | more)
