"""A target with known moments, flows for it, and the test that chains have these moments."""

import functools

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tests import small_flows
from tfflows import Flow, models
from tfflows import bijectors as tb

LOG_NORMALIZER = 3.0
# Of x1, x1^2, r, r^2 and x1 r, where r = x2 - x1^2: moments whose estimates are nearly normal.
MOMENTS = np.array([0.0, 1.0, 0.0, 0.25, 0.0])


def banana(x):
    """x1 ~ N(0, 1), x2 ~ N(x1^2, 0.5^2), times e^3."""
    log_p1 = -0.5 * tf.square(x[..., 0])
    log_p2 = -0.5 * tf.square((x[..., 1] - tf.square(x[..., 0])) / 0.5)
    return log_p1 + log_p2 - np.log(2 * np.pi * 0.5) + LOG_NORMALIZER


def draws(n, seed=0):
    """Exact draws of the banana, float32 `[n, 2]`."""
    z = np.random.default_rng(seed).normal(size=(n, 2))
    return np.stack([z[:, 0], z[:, 0] ** 2 + 0.5 * z[:, 1]], 1).astype(np.float32)


def functions(x):
    """Values whose means are `MOMENTS`: `[..., 5]`."""
    a, r = x[..., 0], x[..., 1] - x[..., 0] ** 2
    return np.stack([a, a**2, r, r**2, a * r], axis=-1)


@functools.cache
def broad_gaussian():
    """A Gaussian that covers the banana and is far from it."""
    model = models.Gaussian(2)
    model.estimate(1.5 * draws(20_000))
    return model


@functools.cache
def mixture():
    """A mixture fitted to the banana: a proposal that is no flow."""
    model = models.GaussianMixture(2, components=6)
    model.estimate(1.1 * draws(20_000))
    return model


class _Bend(tb.Bijector):
    """What makes a banana of two normals: (z1, z2) to (z1, z2 + z1^2)."""

    def __init__(self):
        super().__init__(forward_min_event_ndims=1, name="bend")

    def _forward_and_log_det(self, x, context):
        y = tf.stack([x[..., 0], x[..., 1] + tf.square(x[..., 0])], axis=-1)
        return y, tf.zeros_like(x[..., 0])

    def _inverse_and_log_det(self, y, context):
        x = tf.stack([y[..., 0], y[..., 1] - tf.square(y[..., 0])], axis=-1)
        return x, tf.zeros_like(y[..., 0])


WIDER = 1.3


@functools.cache
def wider():
    """The banana with `WIDER` times its widths: the ratio of target to proposal has a bound."""
    scale = tfp.bijectors.Scale(tf.constant([WIDER, 0.5 * WIDER]))
    return Flow(tb.Chain([_Bend(), scale]), [2])


@functools.cache
def bent():
    """A flow that bends the plane in some way or other."""
    flow = models.RealNVP(2, layers=3, hidden_units=(8,), actnorm=False, linear="lu")
    return small_flows.shake(flow, seed=2, scale=0.25)


def run(kernel, steps=60, burn=20, chains=1000, seed=(1, 2), start=None):
    """States `[steps, chains, 2]` of chains that start at exact draws of the target.

    A kernel that leaves the target as it is keeps them so, from the first step; one that does not
    drives them away.
    """
    start = draws(chains, seed=5) if start is None else start

    @tf.function
    def sample(seed):
        return tfp.mcmc.sample_chain(
            steps,
            tf.constant(start),
            kernel=kernel,
            num_burnin_steps=burn,
            trace_fn=None,
            seed=seed,
        )

    return sample(tf.constant(seed, tf.int32)).numpy().astype(np.float64)


def scores(states):
    """How many standard errors each moment is off; chains are independent, their means too."""
    means = functions(states).mean(axis=0)  # [chains, 5]
    return (means.mean(axis=0) - MOMENTS) / (means.std(axis=0) / len(means) ** 0.5)


def check_moments(states):
    """Raises AssertionError if a moment is off by 5 standard errors.

    One right kernel in 3 * 10^5 fails: five moments, 6 * 10^-7 each.
    """
    off = scores(states)
    assert np.abs(off).max() < 5, f"moments are off by {off.round(1)} standard errors"
