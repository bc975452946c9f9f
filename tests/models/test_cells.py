"""Models of vectors some of whose numbers repeat: probabilities, noise, draws on the grid."""

import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tests.small_flows import shake
from tfflows import models


def normal_1d(step=1.0, samples=1):
    model = models.AffineFlow(1, dequantize=True)
    model.set_cells([step])
    model.samples = samples
    return model


def mixed():
    """A flow of an integer, a number that does not repeat, and halves; and rows of them."""
    model, rows = _made()
    model.samples = 1
    return model, rows


@functools.cache
def _made():
    model = models.RealNVP(
        3, layers=2, hidden_units=(8,), standardize=True, dequantize=True, marginals=6
    )
    rng = np.random.default_rng(0)
    rows = np.stack(
        [rng.poisson(4, 500), rng.normal(2, 3, 500), 0.5 * rng.integers(0, 9, 500)], 1
    ).astype(np.float64)
    model.set_cells([1.0, 0.0, 0.5])
    model.set_standardization(rows.mean(0), rows.std(0))
    model.initialize(rows)
    return shake(model, scale=0.1), rows


@pytest.mark.parametrize("step", [1.0, 0.25, 3.0])
def test_a_normal_gives_the_probability_of_the_cell(step):
    model = normal_1d(step, samples=4000)
    k = np.arange(-3, 4) * step
    exact = np.log(special.ndtr(k + 0.5 * step) - special.ndtr(k - 0.5 * step))
    np.testing.assert_allclose(model.log_prob(k[:, np.newaxis]), exact, atol=0.06)
    # Between two points of the grid it is the nearest that is scored.
    near = model.log_prob((k + 0.3 * step)[:, np.newaxis])
    np.testing.assert_allclose(near, model.log_prob(k[:, np.newaxis]), rtol=1e-6)


def test_probabilities_times_densities_sum_to_one():
    model, _ = mixed()
    model.samples = 16
    k = np.arange(-6, 30)
    halves = 0.5 * np.arange(-12, 34)
    y = np.linspace(-40, 45, 171)
    grid = np.stack(np.meshgrid(k, y, halves, indexing="ij"), -1).reshape(-1, 3)
    total = np.exp(model.log_prob(grid).numpy().astype(np.float64)).sum() * (y[1] - y[0])
    assert total == pytest.approx(1.0, abs=0.02)


def test_more_draws_come_nearer_from_below_and_one_number_is_a_function_of_the_row():
    model, rows = mixed()
    rows = rows[:200]
    one = model.log_prob(rows).numpy()
    np.testing.assert_allclose(model.log_prob(rows[7:8]), one[7:8], rtol=1e-5)
    np.testing.assert_allclose(model.log_prob(rows.astype(np.float32)), one, rtol=1e-5)
    model.samples = 50
    more = model.log_prob(rows).numpy()
    assert more.mean() > one.mean()
    model.use_xla(100)
    np.testing.assert_allclose(model.log_prob(rows), more, rtol=1e-4, atol=1e-4)
    model.use_xla(None)


def test_noise_differs_between_rows_that_share_their_repeated_numbers():
    model = models.AffineFlow(2, dequantize=True)
    model.set_cells([1.0, 0.0])
    rows = np.stack([np.ones(400), np.random.default_rng(0).normal(size=400)], 1)
    noise = model._with_own_noise(tf.constant(rows)).numpy()[:, 0] - 1.0
    assert abs(noise.mean()) < 4 * math.sqrt(1 / 12 / 400)
    assert noise.min() > -0.5 and noise.max() < 0.5
    assert noise.std() == pytest.approx(math.sqrt(1 / 12), rel=0.1)
    np.testing.assert_array_equal(model.noisy(rows)[:, 1], rows[:, 1].astype(np.float32))


def test_draws_lie_on_the_grid_and_go_there_and_back():
    model, rows = mixed()
    x, log_prob = model.sample_and_log_prob(64, seed=3)
    np.testing.assert_allclose(log_prob, model.log_prob(x), rtol=1e-4, atol=1e-4)
    x = x.numpy()
    np.testing.assert_allclose(x[:, 0], np.rint(x[:, 0]), atol=1e-5)
    np.testing.assert_allclose(2 * x[:, 2], np.rint(2 * x[:, 2]), atol=1e-5)
    assert len(np.unique(x[:, 1])) == 64
    np.testing.assert_allclose(x, model.sample(64, seed=3), atol=1e-5)
    back = model.decode(model.encode(rows)).numpy()
    np.testing.assert_allclose(back[:, [0, 2]], rows[:, [0, 2]], atol=1e-4)


def test_numbers_off_the_grid_are_found():
    model, rows = mixed()
    assert not model.off_grid(rows).any() and not model.off_grid(rows.astype(np.float32)).any()
    rows = rows.copy()
    rows[3, 0], rows[5, 2], rows[7, 1] = 2.5, 0.75, 1e-3
    assert np.argwhere(model.off_grid(rows)).tolist() == [[3, 0], [5, 2]]


def test_training_noise_is_fresh():
    model = normal_1d()
    model.compile(keras.optimizers.SGD(0.0))
    x = tf.data.Dataset.from_tensors(np.zeros([8, 1], np.float32)).repeat()
    losses = [model.fit(x, steps_per_epoch=1, verbose=0).history["loss"][0] for _ in range(2)]
    assert losses[0] != losses[1]


def test_standardised_figures_are_densities_of_rows_with_noise():
    model, rows = mixed()
    std = rows.std(0)
    shift = np.log(std).sum() - math.log(0.5)
    assert model.standardization_log_det == pytest.approx(shift, rel=1e-5)


@pytest.mark.parametrize("family", [models.Histogram, models.GaussianMixture, models.Gaussian])
def test_baselines_give_probabilities_too(family):
    rows = np.random.default_rng(0).poisson(3, (4000, 1)).astype(np.float64)
    model = family(1, standardize=True, dequantize=True)
    model.set_standardization(rows.mean(0), rows.std(0))
    model.set_cells([1.0])
    model.estimate(rows)
    model.samples = 64
    k = np.arange(-30, 60)[:, np.newaxis].astype(np.float64)
    p = np.exp(model.log_prob(k).numpy().astype(np.float64))
    assert p.sum() == pytest.approx(1.0, abs=0.01)
    assert p[33] == pytest.approx((rows == 3).mean(), abs=0.06)
    draws = model.sample(100, seed=0).numpy()
    np.testing.assert_allclose(draws, np.rint(draws), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.set_cells([1.0, 2.0]), "step: expected 1 finite numbers, none negative"),
        (lambda m: m.set_cells([-1.0]), "step: expected 1 finite numbers, none negative"),
        (lambda m: m.set_cells([1.0], [math.nan]), "origin: expected 1 finite numbers, got"),
        (lambda m: setattr(m, "samples", 0), "samples: expected a whole number from 1"),
        (lambda m: setattr(models.AffineFlow(1), "samples", 3), "samples: log_prob of this model"),
        (
            lambda m: models.AffineFlow(1).set_cells([1.0]),
            "dequantize: expected a model built with dequantize=True",
        ),
    ],
)
def test_errors_name_the_argument(change, message):
    with pytest.raises(ValueError, match=message):
        change(normal_1d())
