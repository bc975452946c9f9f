"""Sets of integers: their data, figures and pictures."""

import numpy as np
import pytest

from tfflows import batches, models
from tfflows.data import sets
from zoo import modalities, registry
from zoo.modalities.integers import pictures


def data_of(name="set_shuffling", size=50):
    config = registry.config("discrete_eight_gaussians")
    config.data.name, config.data.size = name, size
    return modalities.load(config)


def test_sets():
    config = registry.config("discrete_eight_gaussians")
    config.data.name, config.data.size = "set_summation", 50
    data = modalities.load(config)
    assert data.event_shape == (16,) and data.facts["least"] == [1] * 16
    assert modalities.of_config(config).event_shape(config) == (16,)
    assert np.isfinite(sets.get("set_summation").log_prob(data.validation)).all()
    config.model.args.levels = 15
    with pytest.raises(ValueError, match=r"model.args.levels: expected 16 or more .* got 15"):
        modalities.load(config)


def test_figures_beside_those_of_the_data(monkeypatch):
    data, toy = data_of(), sets.get("set_shuffling")
    model = models.DiscreteFlow(16, levels=16, layers=1, width=4)
    modality = modalities.of(model)
    x = toy.sample(20, 1)
    drawn = toy.sample(10_000, 2)
    drawn[:2500, 0] = drawn[:2500, 1]  # one number twice
    monkeypatch.setattr(batches, "sample", lambda *arguments: drawn)
    found = modality.test_figures(model, data, x, toy.log_prob(x) - 0.5, 0.0)
    assert found["kl_divergence"] == pytest.approx(0.5)
    assert found["possible"] == pytest.approx(0.75) and found["draws"] == 10_000
    assert found["entropy_bits_per_dim"] == pytest.approx(2.76563, abs=1e-5)
    gap = 0.5 / 16 / np.log(2.0)
    assert found["bits_per_dim"] == pytest.approx(2.76563 + gap, abs=1e-5)
    found |= {"log_likelihood": 0.0, "log_likelihood_two_standard_errors": 0.0}
    lines = modality.describe(found)
    assert "entropy of the data: 2.7656 bits/dim" in lines
    assert "75.0 % of 10000 draws are sets that the data may hold" in lines


def test_pictures_of_pairs(monkeypatch, tmp_path):
    drawn = {}
    toy = sets.get("set_shuffling")

    def heat_maps(panels, least, path, title):
        drawn.update(panels)
        return path

    monkeypatch.setattr(pictures.integer_plots, "heat_maps", heat_maps)
    model = models.DiscreteFlow(16, levels=16, layers=1, width=4)
    model.initialize(toy.sample(20, 0))
    modality = modalities.of(model)
    (path,) = modality.pictures(model, data_of(), tmp_path)
    assert path == tmp_path / "overview.png"
    data = drawn["data"]
    np.testing.assert_allclose(data, (1 - np.eye(16)) / 240, atol=1e-12)
    assert drawn["samples"].sum() == pytest.approx(1.0) and np.diag(drawn["samples"]).sum() > 0
    np.testing.assert_allclose(drawn["samples"], drawn["samples"].T)
