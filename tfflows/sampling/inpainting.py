"""Inpainting: fills in an image's hidden pixels from the visible ones, using a flow's density."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.checks import whole_number
from tfflows.models import DequantizedFlow, Flow
from tfflows.random import uniform_rows

tfb = tfp.bijectors

METHODS = ("ascent", "langevin")
STEPS = 1000
# For the ascent: the first step, in logits of the pixels; the noise, as a fraction of a step; the
# decay rates of the means of gradients and of their squares (Kingma & Ba's Adam, 2014); the largest
# logit.
_STEP, _NOISE, _DECAYS, _LARGEST = 0.1, 0.3, (0.9, 0.99), 12.5
# For the chains: the share of steps that tune the step size, and the acceptance they aim at, which
# is the best for Langevin steps (Roberts & Rosenthal, 1998).
_BURN_IN, _ACCEPTANCE = 0.6, 0.574
# The first draw number of the noise, far beyond the numbers of the model's draws.
_NOISE_DRAWS = 1 << 40
_EDGE = 0.01  # the nearest that chains start to the ends of a pixel's range


@dataclasses.dataclass(frozen=True, eq=False)
class Inpainted:
    """Completed images.

    Attributes:
      x: uint8 `[batch, completions, *event]`.
      start_log_prob, log_prob: log-densities of the images before and after,
        `[batch, completions]`, nats. They are those of the continuous images, not the bound for
        integers.
      acceptance: share of the Langevin steps that were accepted after burn-in,
        `[batch, completions]`; 1 for the ascent.
    """

    x: np.ndarray
    start_log_prob: np.ndarray
    log_prob: np.ndarray
    acceptance: np.ndarray


def inpaint(
    model: DequantizedFlow,
    x,
    hidden,
    method: str = "ascent",
    completions: int = 1,
    steps: int = STEPS,
    seed: int = 0,
    context=None,
) -> Inpainted:
    """Fills in the hidden pixels of images.

    Both methods work on the flow's density `p(y)` of continuous images, y in `[0, 2**bits)`. The
    visible pixels are `x + u` and stay fixed; each completion has one noise u from the model's
    dequantization. The hidden pixels start as those of draws from the model.

    * `"ascent"`, for the likeliest image: gradient ascent with noise, as in NICE's experiment, with
      two changes. It works in the logits of the pixels, because a background pixel may be certain
      to one part in a thousand. It takes Adam's steps, `a_i (m / sqrt(v) + 0.3 e)`, where m and v
      are running means of the gradient and its square, e is standard normal, and a_i falls to zero
      like half a cosine.
    * `"langevin"`, for draws of the hidden pixels given the visible ones: the first half of the
      steps is the ascent, the second half the Metropolis-adjusted Langevin algorithm (`tfp.mcmc`),
      in the logits of the pixels. Each completion is a chain with its own step size, tuned in the
      first 60 % of the chain's steps. The chain's last state is the completion.

    Args:
      model: a trained flow of images, or of other integers.
      x: integers `[batch, *event]`. The values of the hidden pixels do not matter.
      hidden: booleans that broadcast to `[*event]`: true where a pixel is to be filled in.
      method: `"ascent"` or `"langevin"`.
      completions: number of completions of each image.
      steps: number of gradient steps.
      seed: key of all noise.
      context: `[batch, *context_shape]` for a conditional model.

    Returns:
      The completed images; their visible pixels are those of `x`, without the bits that the model
      drops.

    Raises:
      ValueError: if an argument is invalid, or if nothing or everything is hidden.

    Reference: Dinh, Krueger & Bengio, NICE: Non-linear Independent Components Estimation, 2014
    (section 5.2). https://arxiv.org/abs/1410.8516
    """
    if not isinstance(model, DequantizedFlow):
        raise ValueError(f"model: expected a flow of integers, got a {type(model).__name__}")
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    steps, completions = (
        whole_number("steps", steps, 10),
        whole_number("completions", completions, 1),
    )
    seed = whole_number("seed", seed, -(2**63))
    x = np.asarray(x)
    if x.shape[1:] != tuple(model.event_shape) or not len(x):
        shape = ", ".join(map(str, model.event_shape))
        raise ValueError(f"x: expected shape [batch, {shape}], got {list(x.shape)}")
    x = np.repeat(x, completions, axis=0)
    if context is not None:
        context = tf.constant(np.repeat(context, completions, axis=0), tf.float32)
    pixels = _Pixels(model, x, hidden, seed, context)

    uphill = steps if method == "ascent" else steps // 2
    keys = tf.random.experimental.stateless_split(tf.bitcast(tf.constant(seed, tf.int64), tf.int32))
    state = tf.function(lambda y: _ascend(pixels, y, uphill, keys[0]))(pixels.start)
    acceptance = tf.ones([len(x)])
    if method == "langevin":
        chain = tf.function(lambda y: _langevin(pixels, y, steps - uphill, keys[1]))
        state, acceptance = chain(state)
    log_prob = tf.function(pixels.log_prob)
    by_image = [-1, completions]
    return Inpainted(
        x=pixels.images(state).reshape(*by_image, *x.shape[1:]),
        start_log_prob=np.reshape(log_prob(pixels.start), by_image),
        log_prob=np.reshape(log_prob(state), by_image),
        acceptance=np.reshape(acceptance, by_image),
    )


class _Pixels:
    """The hidden numbers of images, as vectors `[rows, hidden]`, and the whole images' density."""

    def __init__(self, model, x, hidden, seed, context):
        self._model, self._x, self._context = model, x, context
        shape = tuple(model.event_shape)
        try:
            self._hidden = np.broadcast_to(np.asarray(hidden, bool), shape)
        except ValueError:
            raise ValueError(
                f"hidden: expected a shape that broadcasts to {list(shape)}, "
                f"got {list(np.shape(hidden))}"
            ) from None
        self._indices = np.flatnonzero(self._hidden)
        if len(self._indices) in (0, self._hidden.size):
            raise ValueError(
                "hidden: expected part of an image to be hidden, got nothing or all of it"
            )
        model.check_data("x", np.where(self._hidden, 0, x))
        draws = model.sample(len(x), seed, context=context).numpy()
        self._dropped = 256 // 2**model.bits
        values = np.where(self._hidden, draws, x) // self._dropped
        values = tf.constant(values, tf.float32)

        def draw(quantile):
            number = _NOISE_DRAWS + tf.range(len(x), dtype=tf.int64)
            seeds = tf.stack([tf.fill([len(x)], tf.constant(seed, tf.int64)), number], axis=1)
            u = tf.reshape(uniform_rows(seeds, self._hidden.size), values.shape)
            return u if quantile is None else quantile(u)

        noise, _ = model.dequantization.sample(values, draw)
        self._y = tf.reshape(values + noise, [len(x), -1])
        self.start = tf.gather(self._y, self._indices, axis=1)
        self.levels = 2.0**model.bits

    def _whole(self, state):
        """The images `[rows, *event]` with hidden numbers `state`."""
        size = self._hidden.size
        source = np.arange(size)
        source[self._indices] = size + np.arange(len(self._indices))
        y = tf.gather(tf.concat([self._y, state], axis=1), source, axis=1)
        return tf.reshape(y, [-1, *self._hidden.shape])

    def log_prob(self, state):
        """Log-density `[rows]` of the continuous images, nats."""
        # Call `Flow`'s own method: a flow of integers overrides it with the bound.
        return Flow.log_prob_fn(self._model, self._whole(state), self._context)

    def images(self, state) -> np.ndarray:
        """The images as integers."""
        values = np.clip(np.floor(self._whole(state)), 0.0, self.levels - 1.0)
        values = np.where(self._hidden, values, self._x // self._dropped)
        return (values * self._dropped).astype(np.uint8)


def _ascend(pixels, state, steps, key):
    """Runs annealed gradient ascent; returns the state `[rows, hidden]` after `steps` steps."""
    to_pixels = tfb.Sigmoid(0.0, pixels.levels)
    logits = to_pixels.inverse(tf.clip_by_value(state, _EDGE, pixels.levels - _EDGE))
    mean, mean_square = tf.zeros_like(logits), tf.zeros_like(logits)
    for i in tf.range(steps):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            log_prob = pixels.log_prob(to_pixels.forward(logits))
        gradient = tape.gradient(log_prob, logits)
        gradient = tf.where(tf.math.is_finite(gradient), gradient, tf.zeros_like(gradient))
        mean = _DECAYS[0] * mean + (1.0 - _DECAYS[0]) * gradient
        mean_square = _DECAYS[1] * mean_square + (1.0 - _DECAYS[1]) * tf.square(gradient)
        step = tf.cast(i, tf.float32)
        direction = mean / (1.0 - _DECAYS[0] ** (step + 1.0))
        rms = tf.sqrt(mean_square / (1.0 - _DECAYS[1] ** (step + 1.0)))
        noise = tf.random.stateless_normal(
            tf.shape(logits), tf.random.experimental.stateless_fold_in(key, i)
        )
        rate = 0.5 * _STEP * (1.0 + tf.cos(math.pi * step / tf.cast(steps, tf.float32)))
        logits += rate * (tf.math.divide_no_nan(direction, rms) + _NOISE * noise)
        logits = tf.clip_by_value(logits, -_LARGEST, _LARGEST)
    return to_pixels.forward(logits)


def _langevin(pixels, state, steps, key):
    """Runs Langevin chains; returns their last state and the share accepted after burn-in."""
    burn_in = int(_BURN_IN * steps)
    # One leapfrog step of Hamiltonian Monte Carlo is a Langevin step, and its size can be tuned.
    kernel = tfp.mcmc.HamiltonianMonteCarlo(
        pixels.log_prob, step_size=tf.fill([state.shape[0], 1], 0.01), num_leapfrog_steps=1
    )
    kernel = tfp.mcmc.DualAveragingStepSizeAdaptation(
        kernel, num_adaptation_steps=burn_in, target_accept_prob=_ACCEPTANCE
    )
    kernel = tfp.mcmc.TransformedTransitionKernel(kernel, tfb.Sigmoid(0.0, pixels.levels))
    state = tf.clip_by_value(state, _EDGE, pixels.levels - _EDGE)
    results = kernel.bootstrap_results(state)
    accepted = tf.zeros([state.shape[0]])
    for i in tf.range(steps):
        state, results = kernel.one_step(
            state, results, seed=tf.random.experimental.stateless_fold_in(key, i)
        )
        now = results.inner_results.inner_results.is_accepted
        accepted += tf.cast(now & (i >= burn_in), tf.float32)
    return state, accepted / (steps - burn_in)
