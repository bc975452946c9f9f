"""Discretized logistics: against their definition in high precision, sums, and draws."""

import decimal
import math

import numpy as np
import pytest
import tensorflow as tf

from tfflows.distributions import DiscretizedLogistic, DiscretizedLogisticMixture


def by_definition(value, low, high, mean, log_scale):
    """The logarithm of the probability, from differences of the distribution function."""
    with decimal.localcontext(prec=250):  # probabilities down to exp(-500)
        scale = decimal.Decimal(float(log_scale)).exp()

        def below(x):
            t = (decimal.Decimal(x) - decimal.Decimal(float(mean))) / scale
            return 1 / (1 + (-t).exp())

        upper = 1 if value == high else below(value + 0.5)
        lower = 0 if value == low else below(value - 0.5)
        return float((upper - lower).ln())


@pytest.mark.parametrize("log_scale", [-3.0, -1.0, 0.0, 2.5])
@pytest.mark.parametrize("mean", [-3.0, 0.3, 20.0])
def test_log_probabilities_are_those_of_the_definition(mean, log_scale):
    low, high = -2, 5
    values = np.arange(low, high + 1)
    for dtype, tolerance in (("float64", 1e-11), ("float32", 2e-6)):
        mean_, log_scale_ = tf.constant(mean, dtype), tf.constant(log_scale, dtype)
        found = DiscretizedLogistic(low, high, mean_, log_scale_).log_prob(
            tf.constant(values, dtype)
        )
        right = [by_definition(int(v), low, high, mean_.numpy(), log_scale) for v in values]
        np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("levels", [2, 3, 256, 65_536])
@pytest.mark.parametrize("log_scale", [-16.0, -3.0, 0.0, 3.0, 9.0])
def test_probabilities_sum_to_one(levels, log_scale):
    low = -(levels // 2)
    values = tf.range(low, low + levels, dtype=tf.float32)
    for mean in (0.0, low - 3.0, low + 0.5, 0.37 * levels):
        log_prob = DiscretizedLogistic(low, low + levels - 1, mean, log_scale).log_prob(values)
        assert np.exp(np.float64(log_prob)).sum() == pytest.approx(1.0, abs=2e-5)


def test_gradients_are_finite_far_from_the_mean():
    mean, log_scale = tf.constant([0.0, 1e4, -1e4]), tf.constant([-16.0, -3.0, 9.0])
    values = tf.constant([[-128.0], [0.0], [127.0]])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_scale])
        total = tf.reduce_sum(DiscretizedLogistic(-128, 127, mean, log_scale).log_prob(values))
    assert np.isfinite(total)
    for gradient in tape.gradient(total, [mean, log_scale]):
        assert np.isfinite(gradient).all()


def test_quantiles_are_where_the_probabilities_sum_to_u():
    logistic = DiscretizedLogistic(-8, 7, tf.constant(0.3), tf.constant(0.6))
    values = np.arange(-8, 8)
    ends = np.cumsum(np.exp(np.float64(logistic.log_prob(tf.constant(values, tf.float32)))))
    u = (np.arange(4000) + 0.5) / 4000
    right = values[np.searchsorted(ends, u)]
    np.testing.assert_array_equal(logistic.quantile(tf.constant(u, tf.float32)), right)


def test_a_mixture_is_the_weighted_sum_and_its_draws_follow_it():
    logits, means = tf.constant([0.3, -1.0]), tf.constant([-3.0, 4.0])
    mixture = DiscretizedLogisticMixture(-8, 7, logits, means, tf.constant([-0.5, 0.7]))
    values = tf.range(-8.0, 8.0)
    each = [DiscretizedLogistic(-8, 7, m, s).log_prob(values) for m, s in ((-3, -0.5), (4, 0.7))]
    weights = tf.nn.softmax(logits)
    right = weights[0] * tf.exp(each[0]) + weights[1] * tf.exp(each[1])
    probabilities = np.exp(np.float64(mixture.log_prob(values)))
    np.testing.assert_allclose(probabilities, right, rtol=1e-5)
    rng, n = np.random.default_rng(0), 100_000
    draws = mixture.draw(*(tf.constant(rng.uniform(size=n), tf.float32) for _ in range(2))).numpy()
    counts = np.array([(draws == v).sum() for v in range(-8, 8)])
    chi_square = np.sum((counts - n * probabilities) ** 2 / (n * probabilities))
    assert chi_square < 15 + 5 * math.sqrt(2 * 15)  # 15 degrees of freedom


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="high: expected more than low, 3, got 3"):
        DiscretizedLogistic(3, 3, 0.0, 0.0)
