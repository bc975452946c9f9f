"""Shared parts of the monotonic splines: knots, the search for a bin, tails."""

from __future__ import annotations

import itertools
import math

import tensorflow as tf

from tfflows.bijectors.base import Bijector

TAILS = ("identity", "bounded")


def cumulative(shares: tf.Tensor) -> tf.Tensor:
    """Cumulative sums `[..., bins + 1]` of shares `[..., bins]`: from exactly 0 to exactly 1."""
    # Not tf.cumsum, which XLA turns into one window per entry.
    first, *rest = tf.unstack(shares, axis=-1)
    sums = list(itertools.accumulate([first, *rest[:-1]]))
    return tf.stack([tf.zeros_like(first), *sums, tf.ones_like(first)], axis=-1)


def ends_of_bin(values: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`values[..., index]` and `values[..., index + 1]`, for `values` `[..., bins + 1]`."""
    shape = tf.concat([tf.shape(index), tf.shape(values)[-1:]], 0)
    return _ends(tf.broadcast_to(values, shape), index)


@tf.custom_gradient
def _ends(values, index):
    # The gradient of a gather is a scatter, which is slower than comparing with every bin.
    index = index[..., tf.newaxis]
    left, right = (
        tf.gather(values, i, axis=-1, batch_dims=index.shape.rank - 1)[..., 0]
        for i in (index, index + 1)
    )
    bins = tf.range(tf.shape(values)[-1])

    def gradient(left, right):
        zero = tf.zeros([], values.dtype)
        at_left = tf.where(bins == index, left[..., tf.newaxis], zero)
        return at_left + tf.where(bins == index + 1, right[..., tf.newaxis], zero), None

    return (left, right), gradient


class SplineBijector(Bijector):
    """An elementwise monotonic spline that maps `low` to `low` and `high` to `high`.

    A subclass implements `_from_latent(x, index)` and `_from_data(y, index)`: the value and
    log-derivative of `forward` and of `inverse` within the bin of that index.

    Args:
      latent_knots, data_knots: `[..., bins + 1]`, increasing from `low` to `high`.
      low, high: ends of the interval.
      tails: outside the interval, `"identity"`; or `"bounded"`: the map is not defined there.
        Latents outside give NaN, data outside a log-determinant of -inf.
      name: name of the bijector.
    """

    def __init__(self, latent_knots, data_knots, low, high, tails, name):
        super().__init__(name=name)
        self.latent_knots, self.data_knots = latent_knots, data_knots
        self.low, self.high, self.tails = low, high, tails

    def _from_latent(self, x, index):
        raise NotImplementedError

    def _from_data(self, y, index):
        raise NotImplementedError

    def _forward_and_log_det(self, x, context):
        return self._map(x, self.latent_knots, self._from_latent)

    def _inverse_and_log_det(self, y, context):
        x, log_det = self._map(y, self.data_knots, self._from_data)
        if self.tails == "bounded":
            # A density of 0; NaN would mean a fault.
            outside = (y < self.low) | (y > self.high)
            middle = tf.constant(0.5 * (self.low + self.high), y.dtype)
            x = tf.where(outside, middle, x)
            log_det = tf.where(outside, tf.constant(-math.inf, y.dtype), log_det)
        return x, log_det

    def _map(self, value, knots, inside):
        within = (value >= self.low) & (value <= self.high)  # NaN is not
        middle = tf.constant(0.5 * (self.low + self.high), value.dtype)
        held = tf.where(within, value, middle)
        right_of = held[..., tf.newaxis] >= knots[..., 1:-1]
        index = tf.reduce_sum(tf.cast(right_of, tf.int32), axis=-1)
        result, log_det = inside(held, index)
        result = tf.clip_by_value(result, self.low, self.high)  # rounding may put it outside
        if self.tails == "identity":
            # A product, so that NaN parameters are not hidden.
            return tf.where(within, result, value), tf.where(within, log_det, 0.0 * log_det)
        undefined = tf.constant(math.nan, value.dtype)
        return tf.where(within, result, undefined), tf.where(within, log_det, undefined)


class SplineMap:
    """Base class of the spline maps.

    Args:
      bins: number of bins, at least 2.
      bound: the spline acts on [-bound, bound].
      min_bin: smallest width and height of a bin, as a fraction of the interval.
      tails: `"identity"` outside the interval; or `"bounded"`: the map takes the unit interval
        [0, 1] onto itself, for a uniform base, and ignores `bound`. It is not defined outside.
    """

    def __init__(self, bins: int, bound: float, min_bin: float, tails: str):
        if bins < 2:
            raise ValueError(f"bins: expected at least 2, got {bins}")
        if not bound > 0:
            raise ValueError(f"bound: expected a positive number, got {bound}")
        if not min_bin > 0:
            raise ValueError(f"min_bin: expected a positive number, got {min_bin}")
        if not min_bin * bins < 1:
            raise ValueError(
                f"bins: expected fewer than 1 / min_bin, got {bins} with a min_bin of {min_bin}"
            )
        if tails not in TAILS:
            raise ValueError(f"tails: expected identity or bounded, got {tails!r}")
        self.bins, self.bound, self.min_bin, self.tails = bins, bound, min_bin, tails
        self.low, self.high = (-float(bound), float(bound)) if tails == "identity" else (0.0, 1.0)

    def shares(self, raw: tf.Tensor) -> tf.Tensor:
        """Shares `[..., bins]` that sum to 1, none below `min_bin`."""
        return self.min_bin + (1.0 - self.min_bin * self.bins) * tf.nn.softmax(raw, axis=-1)

    def knots(self, shares: tf.Tensor) -> tf.Tensor:
        """Knots `[..., bins + 1]` of bins with these shares of the interval."""
        return self.low + (self.high - self.low) * cumulative(shares)


def unit_softplus(raw: tf.Tensor, minimum: float) -> tf.Tensor:
    """Softplus above `minimum`, shifted so that it is 1 at 0."""
    return minimum + tf.nn.softplus(raw + math.log(math.expm1(1.0 - minimum)))
