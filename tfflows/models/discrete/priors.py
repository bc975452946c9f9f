"""Priors of an integer flow's latents: mixtures of discretized logistics."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tfflows.bijectors.integer_additive import IntegerAdditive
from tfflows.distributions.discretized import DiscretizedLogisticMixture
from tfflows.rounding import nearest
from tfflows.tracking import layer_variables

SCALES = 64  # number of scales on the grid
_FASTER = 8.0  # logits and log-scales move by this times the learning rate
PHASES = 16  # steps of the grid of means between two integers
_SMALLEST = -3.0  # the logarithm of the smallest scale: one integer has nearly all probability


def log_scales(levels: int) -> np.ndarray:
    """The logarithms of the scales on the grid, float64 `[SCALES]`: multiples of 1 / 64.

    They end a little below the logarithm of the number of integers.
    """
    step = math.floor(64 * (math.log(levels) - _SMALLEST) / SCALES) / 64
    return _SMALLEST + step * np.arange(SCALES)


@tf.custom_gradient
def _clipped(value, low, high):
    result = tf.clip_by_value(value, low, high)

    def gradient(upstream):
        outwards = ((value <= low) & (upstream > 0.0)) | ((value >= high) & (upstream < 0.0))
        return tf.where(outwards, 0.0, upstream), None, None

    return result, gradient


def _within(value, low, high):
    """Clipped to the range; where a descent would lead further out of it, the gradient is zero."""
    return _clipped(value, tf.constant(low, tf.float32), tf.constant(high, tf.float32))


def covering_mixtures(values: np.ndarray, components: int):
    """Logits, means and logarithms of scales of mixtures that cover some integers.

    All components but the last lie at quantiles of the values. The last one is broad and has little
    weight, so that a value that does not occur among them still has some probability.

    Args:
      values: `[n, ...]`.
      components: number of components; a single one has the mean and scale of the values.

    Returns:
      Three float64 arrays `[..., components]`.
    """
    values = np.asarray(values, np.float64)
    narrow = max(components - 1, 1)
    means = np.quantile(values, (np.arange(narrow) + 0.5) / narrow, axis=0)
    scale = np.maximum(values.std(0) * math.sqrt(3) / math.pi, 1.0)
    scales = np.broadcast_to(np.maximum(scale / narrow, 0.5), means.shape)
    logits = np.zeros_like(means)
    if components == 1:
        means, scales = values.mean(0)[np.newaxis], scale[np.newaxis]
    else:
        means = np.concatenate([means, values.mean(0)[np.newaxis]])
        scales = np.concatenate([scales, np.maximum(2 * scale, 8.0)[np.newaxis]])
        logits = np.concatenate([logits, np.full_like(logits[:1], -2.0)])
    return tuple(np.moveaxis(each, 0, -1) for each in (logits, means, np.log(scales)))


class NetworkPrior(tf.Module):
    """Mixtures of discretized logistics, with parameters from a network.

    Means have a grid of `1 / PHASES` and scales one of `SCALES` values. A quantized prior is on
    these grids, so that tables of all its distributions can be made.

    Args:
      levels: number of integers in the range `-levels / 2` to `levels / 2 - 1`.
      network: a function from a number of channels to a Keras layer, from what is known,
        `[batch, ..., inputs]`, to `[batch, ..., channels]`.
      known: shape of what is known, without the batch.
      size: length of the last axis of the numbers.
      components: components of each mixture.
      quantized: whether means and scales are rounded to their grids.
      name: name of the module.
    """

    def __init__(
        self, levels, network, known, size, components=1, quantized=False, name="network_prior"
    ):
        super().__init__(name=name)
        self.levels, self.components, self.quantized = levels, components, quantized
        self._low = -(levels // 2)
        self._factor = IntegerAdditive(levels).scale
        self._size = size
        each = 2 if components == 1 else 3
        self.network = network(each * components * size)
        self.network(tf.zeros([1, *known]))
        self._network_variables = layer_variables(self.network)
        # The components of a mixture start apart.
        spread = np.arange(components) - (components - 1) / 2.0
        self._starts = spread * levels / (2.0 * components) * PHASES
        # Broad at first: a scale of a 16th of the range.
        grid = log_scales(levels)
        self._start = float(np.argmin(np.abs(grid - math.log(levels / 16.0))))

    def places(self, known: tf.Tensor):
        """Numbers on the grids: of the logits, the means and the scales.

        Returns:
          The logits, `None` for one component; means, in steps of 1 / PHASES; and numbers of
          scales; all `[batch, ..., size, components]`. The last two are whole if quantized.
        """
        raw = self.network(known)
        shape = tf.concat([tf.shape(raw)[:-1], [self._size, self.components]], 0)
        parts = tf.split(raw, 2 if self.components == 1 else 3, axis=-1)
        *logits, mean, place = (tf.reshape(part, shape) for part in parts)
        mean = mean * (self._factor * PHASES) + self._starts
        place = place * 8.0 + self._start
        if self.quantized:
            mean, place = nearest(mean), nearest(place)
        top = (self._low + self.levels - 1) * PHASES
        mean = _within(mean, self._low * PHASES, top)
        return (logits[0] if logits else None), mean, _within(place, 0, SCALES - 1)

    def initialize_from(self, values: np.ndarray) -> None:
        """Starts from mixtures that cover some values, `[batch, ..., size]`.

        The network's last kernel is zero at first, so its bias sets them.
        """
        grid = log_scales(self.levels)
        logits, means, scales = covering_mixtures(values.reshape(-1, self._size), self.components)
        means = (means * PHASES - self._starts) / (self._factor * PHASES)
        places = np.clip((scales - grid[0]) / (grid[1] - grid[0]), 0, SCALES - 1)
        parts = [means, (places - self._start) / 8.0]
        if self.components > 1:
            parts.insert(0, logits)
        self.network.set_bias(np.concatenate([part.ravel() for part in parts]))

    def distribution(self, known: tf.Tensor) -> DiscretizedLogisticMixture:
        """The distribution of the numbers, given what is known."""
        logits, mean, place = self.places(known)
        grid = log_scales(self.levels)
        return DiscretizedLogisticMixture(
            self._low,
            self._low + self.levels - 1,
            tf.zeros_like(mean) if logits is None else logits,
            mean / PHASES,
            grid[0] + place * (grid[1] - grid[0]),
        )


class LearnedPrior(tf.Module):
    """A mixture of discretized logistics for each number of an event, with learned parameters.

    Args:
      levels: number of integers in the range `-levels / 2` to `levels / 2 - 1`.
      shape: shape of the event.
      components: components of each mixture.
      name: name of the module.
    """

    def __init__(self, levels: int, shape, components: int, name: str = "learned_prior"):
        super().__init__(name=name)
        self.levels = levels
        shape = (*shape, components)
        spread = (np.arange(components) - (components - 1) / 2.0) / (2.0 * components)
        # Means in units of the range, the others in units of _FASTER: one learning rate suits all.
        means = tf.constant(np.broadcast_to(spread, shape), tf.float32)
        self.logits = tf.Variable(tf.zeros(shape), name=f"{name}_logits")
        self.means = tf.Variable(means, name=f"{name}_means")
        self.log_scales = tf.Variable(tf.zeros(shape), name=f"{name}_log_scales")

    def initialize_from(self, values: np.ndarray) -> None:
        """Starts from mixtures that cover some values, `[batch, *event]`."""
        logits, means, scales = covering_mixtures(values, self.logits.shape[-1])
        self.logits.assign(logits / _FASTER)
        self.means.assign(means / self.levels)
        self.log_scales.assign((scales - math.log(self.levels / 16.0)) / _FASTER)

    def distribution(self) -> DiscretizedLogisticMixture:
        """The distribution of the numbers."""
        low = -(self.levels // 2)
        means, log_scales = self._places()
        return DiscretizedLogisticMixture(
            low, low + self.levels - 1, self._logits(), means + float(low), log_scales
        )

    def _logits(self):
        return self.logits * _FASTER

    def _places(self):
        means = self.means * float(self.levels) + float(self.levels // 2)
        log_scales = self.log_scales * _FASTER + math.log(self.levels / 16.0)
        return means, _within(log_scales, _SMALLEST, math.log(self.levels))

    def table_arguments(self) -> list[np.ndarray]:
        """Logits, means and logarithms of the scales, float32 `[numbers, components]`.

        Means are counted from the least integer.
        """
        found = (self._logits(), *self._places())
        return [value.numpy().reshape(-1, value.shape[-1]) for value in found]
