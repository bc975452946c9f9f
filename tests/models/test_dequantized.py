"""Integers: noise that fills a whole step, levels that all count, bits by their definition."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.small_images import initialized, shared
from tfflows import bijectors as tb
from tfflows import models
from tfflows.models.bound import fresh_noise, keyed_noise
from tfflows.models.flows.dequantized import DequantizedFlow, UniformDequantization
from tfflows.random import row_keys, training_noise


def uniform_model(bits, shape=(2, 2, 1)):
    """A flow that is uniform over [0, levels): every integer has the probability 1 / levels."""
    bijector = tb.Chain([tb.Rescale(2**bits), tb.Invert(tb.Rescale(1))])
    return DequantizedFlow(bijector, shape, UniformDequantization(), bits=bits, base="uniform")


@pytest.mark.parametrize("bits", [8, 5, 1])
def test_uniform_integers_cost_their_bits_exactly(bits):
    model = uniform_model(bits)
    extremes = np.zeros([3, 2, 2, 1], np.uint8)
    extremes[1], extremes[2] = 255, np.array([0, 255, 1, 254]).reshape(2, 2, 1)
    np.testing.assert_allclose(model.bits_per_dim(extremes), [bits] * 3, rtol=1e-6)
    np.testing.assert_allclose(model.log_prob(extremes), -4 * bits * math.log(2), rtol=1e-6)


@pytest.mark.parametrize("bits", [8, 5])
def test_samples_of_a_uniform_model_take_every_level_alike(bits):
    x = uniform_model(bits, (16, 16, 1)).sample(400, seed=0).numpy()
    step = 2 ** (8 - bits)
    assert not (x % step).any()
    counts = np.bincount(x.ravel() // step, minlength=2**bits)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_noise_fills_the_step_between_two_integers():
    """The ends are reached: noise over 255/256 of a step, or half of it, would leave a gap."""
    noise = UniformDequantization()
    values = tf.zeros([1, 5])
    below_one = np.nextafter(np.float32(1), np.float32(0))
    ends = tf.constant([[0.0, 2.0**-15, 0.5, 1.0 - 2.0**-15, below_one]])
    u, log_q = noise.sample(values, lambda quantile=None: ends)
    half = 2.0**-16
    expected = [[half, 3 * half, 0.5 + half, 1.0 - half, 1.0 - half]]
    np.testing.assert_array_equal(u, np.float32(expected))
    assert log_q.numpy() == [0.0]


@pytest.mark.parametrize("kind", ["keyed", "fresh"])
def test_noise_is_uniform_over_the_whole_step(kind):
    model = shared("glow")
    rng = np.random.default_rng(0)
    x = tf.constant(rng.integers(0, 256, (2000, *model.event_shape)), tf.float32)
    draw = keyed_noise(x, row_keys(x)) if kind == "keyed" else fresh_noise(x, tf.constant([1, 2]))
    u = model.dequantization.sample(x, draw)[0].numpy().astype("float64")
    assert u.size == 64_000 and u.min() < 3e-4 and u.max() > 1.0 - 3e-4
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-4
    # Independent between rows, and between the numbers of a row.
    flat = u.reshape(2000, -1) - 0.5
    bound = 5.0 / math.sqrt(2000) / 12
    assert np.abs((flat[1:] * flat[:-1]).mean(0)).max() < bound
    assert np.abs((flat[:, 1:] * flat[:, :-1]).mean(0)).max() < bound


@pytest.mark.parametrize("bits", [8, 5])
def test_preprocessing_counts_every_level(bits):
    """The whole range [0, levels] goes onto the latents' range, not [0, levels - 1]."""
    levels = 2.0**bits
    margin = 0.05
    ends = tf.constant([0.0, levels / 2, levels], tf.float64)
    x, log_det = tb.Logit(levels, margin).inverse_and_log_det(ends)
    u = np.array([margin, 0.5, 1.0 - margin])
    np.testing.assert_allclose(x, np.log(u / (1.0 - u)), atol=1e-12)
    slope = (1.0 - 2.0 * margin) / levels / (u * (1.0 - u))
    np.testing.assert_allclose(log_det, np.log(slope), rtol=1e-12)
    x, log_det = tb.Rescale(levels).inverse_and_log_det(ends)
    np.testing.assert_allclose(x, [-0.5, 0.0, 0.5], atol=1e-12)
    np.testing.assert_allclose(log_det, [-math.log(levels)] * 3, rtol=1e-12)


@pytest.mark.parametrize("preprocessing", ["logit", "rescale"])
@pytest.mark.parametrize("bits", [8, 5])
def test_families_preprocess_by_the_number_of_levels(preprocessing, bits):
    model = models.Glow(
        (4, 4, 1), levels=1, steps=1, width=4, bits=bits, preprocessing=preprocessing
    )
    first = model.bijector.bijectors[0]
    assert first.levels == 2**bits
    assert isinstance(first, tb.Logit if preprocessing == "logit" else tb.Rescale)


def test_features_of_the_variational_noise_are_centred():
    """The integers reach the noise's network as `x / levels - 1/2`."""
    model = initialized("flowpp")
    seen = []

    def features(values):
        seen.append(values.numpy())
        return original(values)

    original, model.dequantization.features = model.dequantization.features, features
    values = tf.fill([1, *model.event_shape], 64.0)
    model.dequantization.sample(values, keyed_noise(values, row_keys(values)))
    np.testing.assert_array_equal(seen[0], np.full([1, *model.event_shape], 64 / 256 - 0.5))


def test_training_noise_differs_between_equal_rows():
    model = initialized("glow")
    x = np.full([16, *model.event_shape], 100, np.uint8)
    with training_noise(0, 1):
        losses = model.log_prob_fn(tf.constant(x)).numpy()
    assert len(np.unique(losses)) == 16
    assert len(np.unique(model.log_prob(x))) == 1
