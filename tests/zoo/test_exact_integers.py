"""What the zoo does with images works for a model that is no flow and has no bound."""

import types

import numpy as np
import pytest

from tests.small_integers import Categorical
from zoo import cli, modalities, registry
from zoo.modalities.images import load

IMAGES = modalities.get("images")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Images of a config whose family takes no classes."""
    path = tmp_path_factory.mktemp("images") / "x.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1)).astype("uint8"))
    config = registry.config("glow_images").unlock()
    config.data.path = str(path)
    del config.model.args["classes"]
    return load.load(config, None)


@pytest.fixture(scope="module")
def model():
    return Categorical((4, 4, 1), name="categorical")


def test_figures_are_exact(model, data):
    result = IMAGES.test(model, data)
    assert result["bits_per_dim"] == pytest.approx(8.0, abs=1e-5) and "samples" not in result
    assert IMAGES.describe(result)[0] == "8.0000 +- 0.0000 bits/dim (exact)"


def test_pictures_need_no_latents(model, data, tmp_path):
    assert IMAGES.pictures(model, data, tmp_path) == [str(tmp_path / "samples.png")]


@pytest.mark.parametrize("mode", ["interpolate", "manifold", "reconstruct", "inpaint"])
def test_modes_that_need_latents_are_refused(model, data, mode):
    flags = ("n", "steps", "seed", "start", "temperature")
    values = types.SimpleNamespace(mode=mode, **dict.fromkeys(flags))
    with pytest.raises(ValueError, match=f"mode: {mode} needs a model with latents.*categorical"):
        IMAGES.sample(model, values, {}, lambda: data)


def test_a_number_of_draws_is_refused(model):
    with pytest.raises(ValueError, match="samples: log_prob of categorical is exact"):
        cli.set_samples(model, 4)
