"""What all tests share."""

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

# Examples are the same in every run, so that a failure can be seen again.
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(20260101)
