"""Increasing functions on an interval, continued outside it by straight lines."""

from __future__ import annotations

import tensorflow as tf

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.roots import invert_increasing


class AffineTails(Bijector):
    """An elementwise map, known from data to latents on [-bound, bound], with straight tails.

    Outside the interval the map continues with its slope at the end, so it is continuous and has a
    continuous density over all real numbers. Nothing overflows far out, and the root that the
    other direction searches for always lies within the interval.

    A subclass implements `_within(y)`: the value and log-derivative for data in [-bound, bound].

    Args:
      bound: half the length of the interval.
      name: name of the bijector.
    """

    def __init__(self, bound: float, name: str):
        super().__init__(name=name)
        self.bound = bound

    def _within(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raise NotImplementedError

    def _inverse_and_log_det(self, y, context):
        near = tf.clip_by_value(y, -self.bound, self.bound)
        x, log_slope = self._within(near)
        return x + (y - near) * tf.exp(log_slope), log_slope

    def _forward_and_log_det(self, x, context):
        low, high = (self._within(tf.constant(e, x.dtype))[0] for e in (-self.bound, self.bound))
        near = tf.minimum(tf.maximum(x, low), high)
        # The bracket is wider than the interval: rounding could put a root at its end outside.
        end = tf.fill(tf.shape(near), tf.constant(2.0 * self.bound, x.dtype))
        y = invert_increasing(lambda y: self._inverse_and_log_det(y, None), near, -end, end)
        log_slope = self._inverse_and_log_det(y, None)[1]
        return y + (x - near) * tf.exp(-log_slope), -log_slope
