"""Networks that begin with what another one, of other widths, has learnt."""

import numpy as np
import pytest

from digitlab import datasets
from digitlab.corpus import Examples
from digitlab.errors import ModelError

pytestmark = [
    pytest.mark.training,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def some(count: int) -> np.ndarray:
    return datasets.rehearsal().ink[:count]


@pytest.fixture(scope="module")
def small(training, tmp_path_factory):
    """A compact network that has learnt a little, and where it lies."""
    folder = tmp_path_factory.mktemp("small")
    digits = Examples.of_kind(some(300), datasets.rehearsal().labels[:300], "mnist")
    settings = training.Settings(architecture="compact", epochs=2, batch=32, averaging=0.9)
    network = training.fit(digits, digits, settings, folder)
    network.save(folder / "small.keras")
    return network, folder / "small.keras"


@pytest.fixture(scope="module")
def grown(training, small):
    """A wide network, grown; and its weights before."""
    from digitlab import growing

    wide = training.networks.build("wide")
    fresh = wide.get_weights()
    growing.grow(small[0], wide, training.as_input(some(600)[300:]))
    return wide, fresh


def test_wide_network_answers_as_the_compact_one_it_grew_out_of(training, small, grown):
    ink = training.as_input(some(300))
    before, after = (n.predict(ink, verbose=0)["logits"] for n in (small[0], grown[0]))
    assert np.abs(before - after).max() < 0.25 * before.std()
    assert (before.argmax(1) == after.argmax(1)).mean() > 0.97


def test_new_filters_listen_at_random_and_nothing_listens_to_them(grown):
    wide, fresh = grown
    assert not wide.get_layer("logits").get_weights()[0][128:].any()
    for now, before in zip(wide.get_weights(), fresh, strict=True):
        if now.shape == (3, 3, 160, 160):
            assert np.array_equal(now[..., 128:], before[..., 128:])
            assert not now[:, :, 128:, :128].any()
            break
    else:
        pytest.fail("no such kernel")


def test_normalizations_know_what_new_filters_say(training, grown):
    wide, _ = grown
    last = [layer for layer in wide.layers if "batch_norm" in layer.name][-1]
    ink = training.as_input(some(300))
    said = training.keras.Model(wide.input, last.output).predict(ink, verbose=0).reshape(300, -1)
    assert np.abs(said[:, 128:].mean(0)).max() < 0.5
    assert 0.5 < said[:, 128:].std(0).min() < said[:, 128:].std(0).max() < 2


def test_training_begins_with_what_was_grown(training, small, tmp_path):
    digits = Examples.of_kind(some(300), datasets.rehearsal().labels[:300], "mnist")
    still = training.Settings(epochs=1, batch=50, learning_rate=0.0, weight_decay=0.0, kept=0.9)
    wide = training.fit(digits, digits, still, tmp_path, start=small[1])
    ink = training.as_input(some(300))
    before, after = (n.predict(ink, verbose=0)["logits"].argmax(1) for n in (small[0], wide))
    assert (before == after).mean() > 0.9


@pytest.mark.parametrize(
    ("first", "second"), [("wide", "compact"), ("compact", "string_reader")], ids=lambda n: n
)
def test_no_other_network_grows_out_of_one(training, first, second):
    from digitlab import growing, networks

    pair = networks.build(first), getattr(networks, second)()
    with pytest.raises(ModelError, match=r"no room|other layers"):
        growing.grow(*pair, training.as_input(some(10)))
