import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import bijectors as tb
from tfflows import models
from tfflows.sampling import inpaint

tfb = tfp.bijectors

MEAN = np.array([100.0, 130.0, 150.0, 120.0])
SCALE = np.array([[12.0, 0, 0, 0], [9, 9, 0, 0], [-8, 6, 9, 0], [3, -10, 5, 8]])
HIDDEN = np.array([True, False, False, True])


def gaussian():
    """A flow of four integers that is Gaussian, far from the ends of their range."""
    scale = tf.linalg.LinearOperatorLowerTriangular(tf.constant(SCALE, tf.float32))
    bijector = tfb.Chain(
        [tfb.Shift(tf.constant(MEAN, tf.float32)), tfb.ScaleMatvecLinearOperator(scale)]
    )
    return models.DequantizedFlow(bijector, [4], models.UniformDequantization())


def conditional(visible):
    """Mean and covariance of the hidden numbers given the visible ones."""
    covariance = SCALE @ SCALE.T
    gain = covariance[HIDDEN][:, ~HIDDEN] @ np.linalg.inv(covariance[~HIDDEN][:, ~HIDDEN])
    mean = MEAN[HIDDEN] + gain @ (visible - MEAN[~HIDDEN])
    return mean, covariance[HIDDEN][:, HIDDEN] - gain @ covariance[~HIDDEN][:, HIDDEN]


X = np.array([[0, 150, 140, 0], [255, 110, 160, 255]], np.uint8)


def test_ascent_finds_the_mean_of_a_gaussian():
    result = inpaint(gaussian(), X, HIDDEN, completions=3, steps=600)
    assert result.x.shape == (2, 3, 4) and result.x.dtype == np.uint8
    np.testing.assert_array_equal(result.x[:, :, ~HIDDEN], X[:, None, ~HIDDEN].repeat(3, 1))
    for x, completed in zip(X, result.x, strict=True):
        mean, covariance = conditional(x[~HIDDEN] + 0.5)
        assert np.min(np.abs(mean - MEAN[HIDDEN])) > 4  # the visible numbers matter
        # A noise of one half, through the gain, and half a number by rounding down.
        np.testing.assert_allclose(completed[:, HIDDEN] + 0.5, [mean] * 3, atol=1.6)
    assert np.all(result.log_prob > result.start_log_prob)
    # The density at the mean: the Gaussian's constant and the distance of the visible numbers.
    y = np.concatenate([conditional(X[0, ~HIDDEN] + 0.5)[0], X[0, ~HIDDEN] + 0.5])[[0, 2, 3, 1]]
    expected = gaussian().distribution.log_prob(y.astype(np.float32)[None])
    np.testing.assert_allclose(result.log_prob[0], [expected[0]] * 3, atol=0.1)


def test_langevin_draws_from_the_conditional_of_a_gaussian():
    n = 1500
    result = inpaint(gaussian(), X[:1], HIDDEN, "langevin", completions=n, steps=300, seed=1)
    mean, covariance = conditional(X[0, ~HIDDEN] + 0.5)
    draws = result.x[0][:, HIDDEN] + 0.5
    errors = np.sqrt(np.diag(covariance) / n)
    assert np.all(np.abs(draws.mean(0) - mean) < 4.5 * errors)
    # The variance of an estimate of a covariance is s11 s22 + s12^2, divided by n.
    outer = np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2
    assert np.all(np.abs(np.cov(draws.T) - covariance) < 4.5 * np.sqrt(outer / n))
    assert 0.35 < result.acceptance.mean() < 0.8


@pytest.mark.slow
def test_noise_is_a_function_of_the_seed(monkeypatch):
    flow = gaussian()
    arguments = (flow, X, HIDDEN, "langevin", 2, 40)
    first, second = inpaint(*arguments, seed=5), inpaint(*arguments, seed=5)
    np.testing.assert_array_equal(first.x, second.x)
    assert np.any(first.x[:, 0] != first.x[:, 1])
    # Of the steps too, where the start and the visible pixels' noise are the same.
    monkeypatch.setattr(flow, "sample", lambda n, seed, context: tf.fill([n, 4], 120))
    monkeypatch.setattr(flow.dequantization, "sample", lambda x, draw: (0.5 + 0.0 * x, None))
    assert np.any(inpaint(*arguments, seed=5).x != inpaint(*arguments, seed=6).x)


def test_ends_of_the_range():
    """The mode of a decreasing density is 0, of an increasing one 255."""
    slopes = tf.constant([[400.0, -1.0], [-160.0, -1.0]])
    for mean, expected in zip(slopes[:, 0], (255, 0), strict=True):
        bijector = tfb.Chain([tfb.Shift([mean, 100.0]), tfb.Scale(60.0)])
        flow = models.DequantizedFlow(bijector, [2], models.UniformDequantization())
        for method in ("ascent", "langevin"):
            x = inpaint(flow, [[7, 90]], [True, False], method, steps=200).x[0, 0]
            assert x[1] == 90
            assert x[0] == expected if method == "ascent" else abs(int(x[0]) - expected) < 120


@pytest.mark.parametrize("method", ["ascent", "langevin"])
def test_images_of_classes_and_few_bits(method):
    flow = models.Glow(
        shape=(4, 4, 1),
        levels=1,
        steps=1,
        width=4,
        classes=2,
        bits=3,
        dequantization={
            "kind": "variational" if method == "ascent" else "uniform",
            **{"layers": 1, "width": 4, "blocks": 1},
        },
    )
    x = np.random.default_rng(0).integers(0, 256, [3, 4, 4, 1]).astype(np.uint8)
    context = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    flow.initialize(x, context)
    hidden = tb.half_mask((4, 4, 1), "top")[..., :1]
    result = inpaint(flow, x, hidden, method, 2, steps=10, context=context)
    assert result.x.shape == (3, 2, 4, 4, 1) and np.all(result.x % 32 == 0)
    visible = np.repeat(x[:, None, 2:] // 32 * 32, 2, axis=1)
    np.testing.assert_array_equal(result.x[:, :, 2:], visible)


def test_bad_arguments():
    flow = gaussian()
    with pytest.raises(ValueError, match="model: expected a flow of integers, got a RealNVP"):
        inpaint(models.RealNVP(2), X, HIDDEN)
    with pytest.raises(ValueError, match="method: expected one of ascent, langevin, got 'adam'"):
        inpaint(flow, X, HIDDEN, "adam")
    with pytest.raises(ValueError, match="seed: expected a whole number"):
        inpaint(flow, X, HIDDEN, seed=None)
    with pytest.raises(ValueError, match=r"x: expected shape \[batch, 4\], got \[4\]"):
        inpaint(flow, X[0], HIDDEN)
    with pytest.raises(ValueError, match=r"hidden: .* broadcasts to \[4\], got \[3\]"):
        inpaint(flow, X, HIDDEN[:3])
    for value in (300, -5, 0.5, np.nan):
        with pytest.raises(ValueError, match="x: expected integers 0 to 255"):
            inpaint(flow, np.where(HIDDEN, X.astype(float), value), HIDDEN)
    for hidden in (True, [False] * 4):
        with pytest.raises(ValueError, match="hidden: expected part of an image to be hidden"):
            inpaint(flow, X, hidden)
    with pytest.raises(ValueError, match="steps: expected a whole number from 10"):
        inpaint(flow, X, HIDDEN, steps=5)
    with pytest.raises(ValueError, match="completions: expected a whole number from 1"):
        inpaint(flow, X, HIDDEN, completions=0)
    with pytest.raises(ValueError, match="seed: expected"):
        inpaint(flow, X, HIDDEN, seed=2**63)
