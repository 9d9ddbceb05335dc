"""What all tests share."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from databases import (  # noqa: F401, fixtures
    database,
    emptied,
    empty_url,
    migrated,
    migrated_file,
    postgresql,
)
from hypothesis import settings

from digitlab.recognizer import SHIPPED
from digitlab.versions import EVALUATIONS

# The workers share the processors: OpenMP's threads, of which each would start as many as there are
# processors, wait for each other at full speed and take twice as long. Read when it is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Examples are the same in every run, so that a failure can be seen again.
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that train come first: they take longest, and a worker would wait for the last one."""
    trains = {item.path for item in items if item.get_closest_marker("training")}
    items.sort(key=lambda item: item.path not in trains)


@pytest.fixture(scope="session")
def bare_model(tmp_path_factory) -> Path:
    """The shipped model's folder, without the evaluations that ship with it."""
    folder = tmp_path_factory.mktemp("model") / "bare"
    without = shutil.ignore_patterns(EVALUATIONS, "exports")
    return shutil.copytree(SHIPPED, folder, ignore=without)


@pytest.fixture(scope="session")
def training():
    """The module digitlab.training, imported here because TensorFlow takes seconds."""
    from digitlab import training

    return training


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(20260101)
