"""Histogram, Gaussian and Gaussian mixture: densities estimated from all rows at once."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn import mixture

from tests import small_baselines
from tests.small_baselines import BASELINES, rows_of
from tfflows import models


@functools.cache
def estimated(name):
    """The named model, estimated; do not change it."""
    model = BASELINES[name]()
    rows = rows_of(model.event_shape[0])
    small_baselines.standardize(model)
    model.estimate(rows)
    return model


def density(model, x):
    parts = [model.log_prob(part) for part in np.array_split(x, 1 + len(x) // 50_000)]
    return np.exp(np.concatenate(parts).astype(np.float64))


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "histogram_3d"])
def test_density_integrates_to_one(name):
    """Over a box that holds all but e^-10 of the histogram's tails, by a point in each cell of a
    grid: a random one, as the edges of bins and those of the grid would else conspire."""
    model = estimated(name)
    dim, points = model.event_shape[0], 20_000 if model.event_shape[0] == 1 else 600
    cells = np.stack(np.meshgrid(*[np.arange(points)] * dim), -1).reshape(-1, dim)
    place = np.random.default_rng(0).random(cells.shape)
    grid = (-20 + 40 * (cells + place) / points).astype(np.float32)
    assert density(model, grid).sum() * (40 / points) ** dim == pytest.approx(1.0, abs=3e-3)


@pytest.mark.parametrize("name", BASELINES)
def test_draws_follow_the_density(name):
    """The mean of p(x)^a over draws is an integral of the density, taken otherwise by importance
    from a broad normal. A wrong sampler misses by far more than 5 standard errors; a right one does
    so once in 10^6."""
    model = estimated(name)
    dim = model.event_shape[0]
    x, log_prob = model.sample_and_log_prob(40_000, seed=3)
    x, log_prob = x.numpy(), log_prob.numpy().astype(np.float64)
    np.testing.assert_allclose(model.log_prob(x), log_prob, atol=2e-3)
    broad = stats.multivariate_normal(np.mean(x, 0), 4 * np.atleast_2d(np.cov(x.T)), seed=4)
    y = np.reshape(broad.rvs(400_000), [-1, dim])
    weight = density(model, y) / np.exp(broad.logpdf(y))
    for function in (
        lambda x, p: p**0.5,
        lambda x, p: np.tanh(x[:, 0]),
        lambda x, p: np.tanh(x[:, -1]) * np.tanh(x[:, 0] - 1),
    ):
        drawn = function(x, np.exp(log_prob))
        weighted = weight * function(y, density(model, y))
        error = np.hypot(drawn.std() / 200, weighted.std() / len(y) ** 0.5)
        assert abs(drawn.mean() - weighted.mean()) < 5 * error + 1e-4


def test_mixture_equals_scikit_learns():
    rows, test = rows_of(2), rows_of(2, 1000, seed=5)
    model = models.GaussianMixture(2, components=7, seed=3)
    model.estimate(rows)
    theirs = mixture.GaussianMixture(7, max_iter=500, random_state=3).fit(rows.astype(float))
    np.testing.assert_allclose(model.log_prob(test), theirs.score_samples(test), atol=1e-4)


def test_gaussian_is_the_one_of_maximum_likelihood():
    rows = rows_of(3) * [1.0, 10.0, 0.1] + [0.0, 50.0, 3.0]
    expected = stats.multivariate_normal(rows.mean(0), np.cov(rows.T, bias=True)).logpdf(rows)
    for standardize in (False, True):
        model = models.Gaussian(3, standardize=standardize)
        if standardize:
            model.set_standardization(rows.mean(0), rows.std(0))
            assert model.standardization_log_det == pytest.approx(np.log(rows.std(0)).sum(), 1e-5)
        model.estimate(rows)
        np.testing.assert_allclose(model.log_prob(rows), expected, atol=1e-3)
    np.testing.assert_allclose(model.decode(model.encode(rows[:9])), rows[:9], rtol=1e-4)


def test_histogram_counts():
    rows = np.array([[0.0], [0.1], [0.9], [1.0], [1.0]])
    model = models.Histogram(1, bins=2, smoothing=0)
    model.estimate(rows)
    x = [[-0.1], [0.2], [0.7], [1.0], [1.01]]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(model.log_prob(x), np.log([0, 0.8, 1.2, 1.2, 0]), atol=1e-6)
    smooth = models.Histogram(1, bins=2, smoothing=1)
    smooth.estimate(rows)
    # Nine rows with the four added; a tail has one of them, and the rows' deviation as its scale.
    tail = np.log(1 / 9 / rows.std()) - 0.1 / rows.std()
    expected = [tail, np.log(2 * 3 / 9), np.log(2 * 4 / 9)]
    np.testing.assert_allclose(smooth.log_prob([[-0.1], [0.2], [0.7]]), expected, atol=1e-5)


def test_histogram_of_two_dimensions_is_joint_and_of_three_a_product():
    corners = np.array([[0, 0], [0, 0], [1, 1], [1, 1], [0, 0], [1, 1]]) + 0.0
    two = models.Histogram(2, bins=2, smoothing=0)
    two.estimate(corners)
    assert np.isneginf(two.log_prob([[0.2, 0.8]])[0])
    np.testing.assert_allclose(two.log_prob([[0.2, 0.2]]), np.log(2.0), atol=1e-6)
    assert np.isfinite(two.sample(1000, seed=0)).all()
    assert np.isfinite(two.log_prob(two.sample(1000, seed=0))).all()
    three = models.Histogram(3, bins=2, smoothing=0)
    three.estimate(np.concatenate([corners, corners[:, :1]], axis=1))
    np.testing.assert_allclose(three.log_prob([[0.2, 0.8, 0.1]]), 0.0, atol=1e-6)


@pytest.mark.parametrize("name", ["histogram_1d", "mixture_1d"])
def test_gradients_train_them_too(name):
    """Keras sees their variables: from a poor start the loss falls."""
    model = BASELINES[name]()
    rows = rows_of(1)
    model.estimate(rows[:40])
    model.compile(keras.optimizers.Adam(0.05))
    data = tf.data.Dataset.from_tensors(rows[:4096]).repeat()
    losses = model.fit(data, steps_per_epoch=30, epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0] - 0.003


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.Histogram(0), "dim: expected at least 1, got 0"),
        (lambda: models.Histogram(2, bins=0), "bins: expected at least 1, got 0"),
        (lambda: models.Histogram(2, smoothing=-1), "smoothing: expected a number >= 0, got -1"),
        (lambda: models.GaussianMixture(2, components=0), "components: expected at least 1, got 0"),
        (
            lambda: models.GaussianMixture(2, regularization=np.nan),
            "regularization: expected a number >= 0, got nan",
        ),
        (
            lambda: models.GaussianMixture(1, components=9).estimate(rows_of(1, 5)),
            "rows: expected at least one for each of 9 components, got 5",
        ),
        (
            lambda: models.GaussianMixture(2, 2, regularization=0).estimate(np.ones([9, 2])),
            "regularization: expected a larger number for these rows",
        ),
        (lambda: models.Gaussian(2).estimate(np.ones([9, 2])), "covariance of full rank"),
        (
            lambda: models.Gaussian(2, base="uniform").estimate(rows_of(2)),
            "base: expected normal for a Gaussian",
        ),
        (
            lambda: models.Histogram(1).estimate(np.ones([9, 1])),
            "columns that vary, got constant column 0",
        ),
        (lambda: models.Histogram(2).estimate(rows_of(1)), r"rows: expected shape \[n, 2\]"),
        (
            lambda: models.Histogram(1).estimate([[1.0], [np.inf]]),
            "finite numbers, got NaN or infinity in row 1",
        ),
        (
            lambda: models.Histogram(1).estimate([[1.0], [1e39]]),
            r"within \+-1e\+18, got a larger one in row 1",
        ),
        (lambda: models.Gaussian(1).estimate([[1.0]]), "rows: expected at least 2, got 1"),
        (lambda: models.Histogram(1).set_standardization([0], [1]), "expected a model built with"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_a_gaussian_of_columns_of_unlike_scales():
    rows = rows_of(2).astype(np.float64)
    plain, scaled = models.Gaussian(2), models.Gaussian(2)
    plain.estimate(rows)
    scaled.estimate(rows * [1e7, 1.0])
    expected = plain.log_prob(rows) - np.log(1e7)
    np.testing.assert_allclose(scaled.log_prob(rows * [1e7, 1.0]), expected, atol=1e-3)
