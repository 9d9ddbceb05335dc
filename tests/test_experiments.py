"""Experiments: runs that leave files, the same again with the same seed, answers out of numbers."""

import json
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import pytest

from digitlab import experiment_answers, experiment_results, experiments
from digitlab.errors import DataError, DigitLabError
from digitlab.experiment_charts import COSTS, cost_chart, learning_chart
from digitlab.experiment_grid import (
    ARCHITECTURES,
    DASK,
    GRIDS,
    MNIST,
    OPTIMISERS,
    PLAIN,
    RATES_SEEDS,
    RECIPES,
    grid,
    planned,
)
from digitlab.experiment_results import Result, load, spread

TINY = {"images": 200, "epochs": 1}
QUIET = {"tell": lambda line: None}


def made(network: str, recipe: str, seed: int, accuracy: float, **more) -> Result:
    """A result with an accuracy that is known, as if it had been trained."""
    run = replace(planned(network, recipe, seed), **more.pop("run", {}))
    rows = [
        {"epoch": n, "seen": 3000 * n, "val_accuracy": accuracy - 0.1 / n, "loss": 1 / n}
        for n in (1, 2)
    ]
    facts = {"parameters": 10_000, "train_seconds": 4.0, "predict_ms": 0.05} | more
    return Result(run, tuple(rows), round(10_000 * accuracy), 10_000, **facts)


def stored(result: Result) -> dict:
    return {
        "curve": list(result.curve),
        "test": {"images": result.images, "right": result.right},
        "parameters": result.parameters,
        "train_seconds": result.train_seconds,
        "predict_ms": result.predict_ms,
    }


def by_depth(accuracies: dict[int, float], noise=(0.0, 0.001, -0.001)) -> list[Result]:
    """Every optimiser and some seeds for each depth."""
    return [
        made(f"plain-{depth}", optimiser, seed, accuracy + noise[seed], train_seconds=depth)
        for depth, accuracy in accuracies.items()
        for optimiser in OPTIMISERS
        for seed in range(len(noise))
    ]


def test_grid_has_every_depth_optimiser_and_seed_once():
    runs = grid("depth")
    found = {(run.architecture, run.recipe, run.seed) for run in runs}
    assert len(runs) == len(found) == 5 * 4 * 5
    assert {run.seed for run in grid("rates")} == set(RATES_SEEDS)
    assert not {run.seed for run in grid("all")} & set(RATES_SEEDS)
    assert {run.architecture for run in grid("all")} == set(ARCHITECTURES)


def test_every_run_has_a_file_of_its_own():
    runs = [*grid("all"), *grid("rates"), *grid("all", 2000)]
    assert len({run.name for run in runs}) == len(runs)
    assert planned("plain-1", "adam", 0).name == planned("plain-1", "adam", 0).name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": 20_000}, "--data"),
        ({"images": 60_000, "source": MNIST}, "54,000"),
        ({"images": 10}, "100 to"),
        ({"epochs": 0}, "one epoch"),
    ],
)
def test_run_that_can_not_be_done_is_refused(settings, message):
    with pytest.raises(DataError, match=message):
        planned("plain-1", "adam", 0, **settings)
    with pytest.raises(DataError, match="no network"):
        planned("plain-9", "adam", 0)


def test_validation_images_are_never_learnt_from():
    found = experiments.sets(12_000)
    assert len(found.train.ink) == 12_000
    assert len(found.validation.ink) == 1_500
    assert len(found.test.ink) == 10_000
    learnt = {ink.tobytes() for ink in found.train.ink}
    assert not learnt & {ink.tobytes() for ink in found.validation.ink}


def test_what_has_a_file_is_not_trained_again(tmp_path):
    runs = grid("published", **TINY)
    for run in runs:
        experiments.write(tmp_path, run, stored(made("plain-1", "adam", 0, 0.9)))
    said = []
    assert experiments.execute(runs, tmp_path, tell=said.append) == 0
    assert said == ["15 runs, 15 of them done before"]
    experiments.result_file(tmp_path, runs[3]).write_text('{"run": {')  # torn
    experiments.result_file(tmp_path, runs[5]).unlink()
    assert experiments.missing(runs, tmp_path) == [runs[3], runs[5]]


def test_damaged_result_is_named(tmp_path):
    experiments.write(tmp_path, planned("plain-1", "adam", 0), {"curve": []})
    with pytest.raises(DataError, match=r"plain-1_adam_seed0_\w+\.json.*Delete it"):
        load(tmp_path)
    assert load(tmp_path / "nothing") == []


def test_results_are_read_as_they_were_written(tmp_path):
    result = made("plain-2", "sgd", 3, 0.91)
    experiments.write(tmp_path, result.run, stored(result))
    assert load(tmp_path) == [result]


def test_spread_over_seeds_is_the_standard_deviation():
    (summary,) = experiment_results.summaries(
        [made("plain-1", "adam", seed, accuracy) for seed, accuracy in enumerate((0.9, 0.92, 0.94))]
    )
    assert summary.accuracy.mean == pytest.approx(0.92)
    assert summary.accuracy.deviation == pytest.approx(0.02)
    assert summary.seeds == 3
    assert summary.wrong[6000].mean == pytest.approx(1 - 0.92 + 0.05)
    assert spread([0.5]).deviation == 0


def test_runs_of_another_scale_or_that_chose_rates_are_kept_apart():
    small, large = made("plain-1", "adam", 0, 0.9), made("plain-1", "adam", 0, 0.99)
    large = replace(large, run=replace(large.run, images=9000))
    rates = made("plain-3", "adam", RATES_SEEDS[0], 0.8, run={"learning_rate": 0.5})
    found = experiment_results.by_scale([small, large, rates])
    assert list(found.values()) == [[large], [small]]
    tried = experiment_results.tried_rates([small, large, rates])
    assert tried["adam"][0.5].mean == pytest.approx(0.75)


def test_answer_names_the_layers_that_help_and_those_that_do_not():
    words = experiment_answers.layers_answer(by_depth({1: 0.95, 2: 0.97, 3: 0.97}))
    assert words.startswith("**How many layers?** Two layers read best: 97.00 %")
    assert "1 to 2, +2.00 ± 0.00 points" in words
    assert "2 to 3, +0.00 ± 0.00 points, which may be chance" in words
    assert words.endswith("Beyond two layers no step helps for certain.")
    rising = experiment_answers.layers_answer(by_depth({1: 0.9, 2: 0.93, 3: 0.95}))
    assert rising.endswith("it may be worth trying more.")


def test_answer_says_when_nothing_is_certain():
    noisy = [
        made(f"plain-{depth}", "adam", seed, 0.95 + (0.01 if (seed + depth) % 2 else -0.01))
        for depth in (1, 2)
        for seed in range(4)
    ]
    assert "None of these steps is more than chance." in experiment_answers.layers_answer(noisy)


def test_answer_ranks_optimisers_by_pairs_of_the_same_seed_and_depth():
    gains = dict(zip(OPTIMISERS, (0.0, 0.02, 0.01, 0.0), strict=True))
    results = [
        made(f"plain-{depth}", name, seed, 0.9 + gain + 0.01 * depth + 0.001 * seed)
        for name, gain in gains.items()
        for depth in (1, 2)
        for seed in (0, 1)
    ]
    words = experiment_answers.optimiser_answer(results)
    assert words.startswith("**Which optimiser?** RMSprop came first with 93.55 %")
    assert "Adam by 1.00 ± 0.00 points;" in words
    assert "none is better for certain" not in words
    noisy = [
        made("plain-1", name, s, 0.9 + 0.01 * ((s + len(name)) % 2))
        for name in OPTIMISERS
        for s in range(4)
    ]
    assert experiment_answers.optimiser_answer(noisy).endswith("none is better for certain.")


def test_answers_wait_until_there_is_something_to_compare():
    assert experiment_answers.answers([]) == []
    assert experiment_answers.answers([made("plain-1", "adam", 0, 0.9)]) == []
    assert len(experiment_answers.answers(by_depth({1: 0.9, 4: 0.95}))) == 2


def test_committed_results_are_the_grid_that_the_program_makes():
    found = {result.run for result in load()}
    assert found >= {*grid("all"), *grid("rates")}
    every = [result for result in load() if result.run in grid("depth")]
    assert len(experiment_answers.answers(every)) >= 3
    assert all(result.images == 10_000 for result in every)


def test_learning_rates_are_those_that_validated_best():
    for name, rates in experiment_results.tried_rates(load()).items():
        best = max(rates, key=lambda rate: rates[rate].mean)
        assert RECIPES[name].learning_rate == best, name


def test_curves_are_drawn_with_bands_and_the_live_run_beside():
    (summary,) = experiment_results.summaries(
        [made("plain-1", "adam", seed, 0.9 + 0.01 * seed) for seed in range(3)]
    )
    rows = [{"seen": 500, "val_accuracy": 0.8}]
    figure = learning_chart({"one layer": summary.wrong}, rows)
    band, line, yours = figure.data
    assert line.y[-1] == pytest.approx(100 * (1 - 0.91 + 0.05))
    assert max(band.y) == pytest.approx(line.y[0] + 1)
    assert (yours.name, yours.y[0]) == ("the live run", pytest.approx(20))


@pytest.mark.parametrize("cost", COSTS)
def test_every_network_is_a_point_of_the_cost_chart(cost):
    results = [*by_depth({1: 0.9, 2: 0.92}), made("compact", "ours", 0, 0.97)]
    figure = cost_chart(experiment_results.summaries(results), cost)
    assert sum(len(trace.x) for trace in figure.data) == 2 * 4 + 1


def test_command_explains_what_it_needs(capsys, tmp_path):
    from digitlab.cli import main

    out = ["--out", str(tmp_path), "--grid", "depth"]
    assert main(["experiment", *out, "--images", "20000"]) == 1
    assert "--data" in capsys.readouterr().err
    assert main(["experiment", *out, "--backend", "dask"]) == 1
    assert "--scheduler" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["experiment", *out, "--jobs", "0"])


def test_cluster_that_is_not_there_is_an_error(tmp_path):
    nowhere = "tcp://127.0.0.1:9"
    with pytest.raises(DigitLabError, match="can't be reached"):
        experiments.execute(
            grid("rates", **TINY), tmp_path, backend=DASK, scheduler=nowhere, **QUIET
        )


# What follows trains for real.

SUMMARY = """
import json, sys
from digitlab import architectures
from digitlab.experiment_grid import ARCHITECTURES, planned
from digitlab.experiments import train_one
counts = {name: architectures.build(name).count_params() for name in ARCHITECTURES}
run = planned("plain-2", "adam", 7, images=300, epochs=2)
again = planned("plain-2", "adam", 8, images=300, epochs=2)
kept = ("curve", "test")
found = [{k: train_one(r)[1][k] for k in kept} for r in (run, run, again)]
print(json.dumps([counts, found]))
"""


@pytest.mark.training
def test_same_seed_learns_the_same_and_published_networks_have_their_parameters():
    done = subprocess.run([sys.executable, "-c", SUMMARY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counts, (first, second, other) = json.loads(done.stdout.splitlines()[-1])
    assert first == second
    assert other["curve"] != first["curve"]
    assert counts["published-large"] == 887_530
    assert counts["published-small"] == 59_933
    assert [counts[name] for name in PLAIN] == [8_010 + 2_320 * n for n in range(5)]


@pytest.mark.training
@pytest.mark.timeout(600)  # three processes load TensorFlow at the same time
def test_grid_goes_on_where_it_was_on_a_dask_cluster_of_two_workers(tmp_path, monkeypatch):
    from distributed import LocalCluster

    # Workers run the main module again, and a page that was tested before has left its own there.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    runs = [planned("plain-1", "adam", seed, **TINY) for seed in range(5)]
    known = made("plain-1", "adam", 2, 0.5)
    experiments.write(tmp_path, runs[2], stored(known))
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        done = experiments.execute(
            runs, tmp_path, jobs=-1, backend=DASK, scheduler=address, **QUIET
        )
    assert done == 4
    found = {result.run: result for result in load(tmp_path)}
    assert set(found) == set(runs)
    assert found[runs[2]].curve == known.curve  # not trained again
    assert len({found[run].curve[0]["loss"] for run in runs}) == 5  # every seed learnt by itself


def test_all_grids_are_made_of_recipes_that_exist():
    for name in GRIDS:
        assert all(run.recipe in RECIPES for run in grid(name, **TINY))
