"""Categorical flows: a bound below the probability, draws of the same model, sets in any order."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.small_integers import started
from tfflows.bijectors.base import forward_and_log_det, inverse_and_log_det
from tfflows.data import sets
from tfflows.models import CategoricalFlow
from tfflows.random import row_seeds, uniform_rows

SMALL = {"layers": 2, "channels": 2, "components": 2, "width": 8, "blocks": 1, "heads": 2}
EVERY = np.array(list(itertools.product(range(3), repeat=3)))


def flow(dim=3, levels=3, scale=0.02, **kwargs):
    """A model whose encodings are so wide that few draws of them estimate a probability well."""
    model = CategoricalFlow(dim, levels=levels, **SMALL | kwargs)
    model.parts.encoding.log_scale.assign(tf.fill(model.parts.encoding.log_scale.shape, 0.5))
    started(model, scale)
    norm = model.parts.chain.bijectors[-1]  # sets the latents' deviation to 1, a logistic has 1.8
    norm.log_scale.assign_sub(tf.fill(norm.log_scale.shape, 0.7))
    return model


def weights(model, x, draws):
    """What the bound averages, for `draws` encodings of each row: `[rows, draws]`."""
    numbers = tf.constant(np.repeat(x, draws, axis=0), tf.int32)
    u = uniform_rows(row_seeds(len(numbers), 5), math.prod(model._shape))
    u = tf.reshape(u, [-1, *model._shape])
    return np.exp(np.float64(model._weight(numbers, u))).reshape(len(x), draws)


def probabilities(model, x, draws):
    """Of rows, as the mean of the decoder's over draws of the flow, and their standard errors."""
    u = tf.reshape(uniform_rows(row_seeds(draws, 6), math.prod(model._shape)), [-1, *model._shape])
    z, _ = forward_and_log_det(model.parts.chain, tf.math.log(u / (1.0 - u)), 2)
    posterior = np.float64(tf.nn.softmax(model.parts.encoding.log_joint(z)))
    places = np.arange(x.shape[1])
    found = np.prod(posterior[:, places, x], axis=-1)
    return found.mean(0), found.std(0) / math.sqrt(draws)


@pytest.mark.parametrize(
    "arguments",
    [
        {"encoding_layers": 2},
        pytest.param({"ordered": False}, marks=pytest.mark.slow),
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"ordered": False, "encoding_layers": 2}, marks=pytest.mark.slow),
    ],
)
def test_weights_have_the_mean_that_draws_follow_and_the_bound_is_below(arguments):
    model = flow(**arguments)
    exact, errors = probabilities(model, EVERY, 20_000)
    assert exact.sum() == pytest.approx(1.0, abs=1e-4)
    n, draws = 40_000, 4000
    shares = np.bincount(model.sample(n, seed=0).numpy() @ [9, 3, 1], minlength=27) / n
    assert (np.abs(shares - exact) < 5 * np.sqrt(errors**2 + exact / n)).all()
    found = weights(model, EVERY, draws)
    spread = found.std(1) / math.sqrt(draws)
    assert (spread < 0.15 * exact).all()
    assert (np.abs(found.mean(1) - exact) < 5 * np.sqrt(errors**2 + spread**2)).all()
    # Jensen's inequality for each row: the logarithm of a mean of fewer draws is lower.
    one, few = np.log(found).mean(1), np.log(found.reshape(27, -1, 20).mean(-1)).mean(1)
    assert (one < few).all() and (few < np.log(exact + 5 * errors)).all()
    model.samples = 20
    assert np.mean(model.log_prob(EVERY)) == pytest.approx(few.mean(), abs=0.2)


def test_the_decoder_is_bayes_rule():
    model = flow(levels=4, encoding_layers=2)
    x = np.random.default_rng(1).choice(4, (500, 3), p=[0.4, 0.3, 0.2, 0.1])
    fresh = CategoricalFlow(3, levels=4, **SMALL, encoding_layers=2)
    fresh.initialize(x)
    shares = np.stack([np.bincount(c, minlength=4) + 1.0 for c in x.T]) / 504
    np.testing.assert_allclose(fresh.parts.encoding.log_shares, np.log(shares), atol=1e-6)
    # A draw's own density, found on the way there, is what the way back finds for its category.
    encoding, numbers = model.parts.encoding, tf.constant(EVERY, tf.int32)
    u = tf.reshape(uniform_rows(row_seeds(27, 3), 6), [27, 3, 2])
    z, log_joint = encoding.encode(numbers, u)
    every = encoding.log_joint(z)
    np.testing.assert_allclose(tf.gather(every, numbers, batch_dims=2), log_joint, atol=1e-3)
    posterior = tf.nn.softmax(every[:1, :1])[0, 0]
    picked = [int(encoding.decode(z[:1], tf.fill([1, 3], q))[0, 0]) for q in (0.05, 0.5, 0.95)]
    assert picked == [int(np.searchsorted(np.cumsum(posterior), q)) for q in (0.05, 0.5, 0.95)]


def test_an_encoding_is_a_density():
    """Of two channels, by a sum over a grid; with coupling layers."""
    encoding = flow(encoding_layers=2).parts.encoding
    axis = np.linspace(-40, 40, 321)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 1, 2)
    log_joint = encoding.log_joint(tf.constant(np.tile(grid, [1, 3, 1]), tf.float32))
    masses = np.exp(np.float64(log_joint)).sum(0) * (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(masses, np.exp(encoding.log_shares), rtol=0.01)


def test_all_orders_of_a_set_are_equally_likely():
    model = flow(dim=4, levels=5, scale=0.2, ordered=False)
    orders = np.array(list(itertools.permutations(range(4))))
    row, u = np.array([0, 3, 3, 4]), uniform_rows(row_seeds(4, 5), 2)
    noise = tf.gather(u, orders)  # that goes along with the elements
    same = model._weight(tf.constant(row[orders], tf.int32), noise).numpy()
    np.testing.assert_allclose(same, same[:1].repeat(24), atol=1e-4)
    z, _ = model.parts.encoding.encode(tf.constant(row[orders], tf.int32), noise)
    latents, _ = inverse_and_log_det(model.parts.chain, z, 2)
    np.testing.assert_allclose(latents, tf.gather(latents[0], orders), atol=1e-4)
    ordered = flow(dim=4, levels=5, scale=0.2)
    assert np.ptp(ordered._weight(tf.constant(row[orders], tf.int32), noise)) > 0.1
    # Noise of its own for each order, so that a mean over orders is one over draws of it.
    assert len(np.unique(model.log_prob(row[orders]))) == 12


def test_sets_need_one_range():
    model = CategoricalFlow(3, levels=4, ordered=False, **SMALL)
    model.set_least([2, 2, 2])
    model.initialize(np.array([[2, 3, 5], [5, 4, 2]]))
    assert model.sample(5, seed=0).numpy().min() >= 2
    assert np.isneginf(model.log_prob(np.array([[2, 3, 6], [1, 3, 5]]))).all()
    with pytest.raises(ValueError, match=r"least: expected one number for all columns, got \[0"):
        model.set_least([0, 0, 1])
    assert model.least.tolist() == [2, 2, 2]


@pytest.mark.slow
def test_it_learns_which_numbers_are_left():
    """A quarter of a nat above the entropy of three shuffled numbers, after a minute."""
    toy = sets.Shuffling(3)
    model = CategoricalFlow(3, levels=3, ordered=False, layers=4, width=32, components=4)
    x = toy.sample(20_000, 0)
    model.initialize(x[:2000])
    rate = keras.optimizers.schedules.CosineDecay(0.003, 1500)
    model.compile(keras.optimizers.Adam(rate), jit_compile=True, steps_per_execution=10)
    data = tf.data.Dataset.from_tensor_slices(x).repeat().batch(128)
    model.fit(data, steps_per_epoch=1500, verbose=0)
    # There are only six rows, and one draw of noise for each says little about the model.
    model.samples = 100
    loss = -np.mean(model.log_prob(np.array(list(itertools.permutations(range(3))))))
    assert toy.entropy < loss < toy.entropy + 0.25
    assert np.isfinite(toy.log_prob(model.sample(2000, seed=0).numpy())).mean() > 0.85


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dim": 1}, "dim: expected a whole number from 2.*got 1"),
        ({"levels": 1}, "levels: expected a whole number from 2"),
        ({"channels": 1}, "channels: expected a whole number from 2"),
        ({"encoding_layers": -1}, "encoding_layers: expected a whole number from 0"),
        ({"layers": 0}, "layers: expected at least 1, got 0"),
        ({"heads": 3}, "heads: expected a divisor of width 8, got 3"),
        ({"dropout": 1.0}, r"dropout: expected a rate in \[0, 1\), got 1.0"),
        ({"ordered": 1}, "ordered: expected True or False, got 1"),
        ({"samples": 0}, "samples: expected a whole number from 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CategoricalFlow(**{"dim": 2, "levels": 3} | SMALL | arguments)
