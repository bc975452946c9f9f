"""Models of integers: which integers an event consists of, and bits per dimension."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf


class IntegerEvents:
    """What all models of integers share, whether their probability is exact or a bound.

    Events consist of the integers 0 to `levels - 1`. A subclass defines `log_mass`; rows outside of
    the range, or with fractions, have probability 0.

    Attributes:
      levels: the number of different integers.
    """

    levels = 256
    event_dtype = tf.uint8

    def log_mass(self, values, context=None):
        """Log-probability `[batch]`, nats, of integers in range, as a graph function.

        Args:
          values: float32 `[batch, *event]`.
          context: `[batch, *context_shape]` for a conditional model.
        """
        raise NotImplementedError

    def log_prob_fn(self, x, context=None):
        """Log-probability `[batch]`, nats, as a graph function."""
        axes = list(range(1, 1 + len(self.event_shape)))
        x = tf.cast(x, tf.float32)
        good = (x >= 0.0) & (x <= self.levels - 1.0) & (x == tf.floor(x))
        inside = tf.reduce_all(good, axis=axes)
        missing = self.missing_rows(x, context)
        x = tf.where(tf.reshape(inside, [-1] + [1] * len(axes)), x, tf.zeros_like(x))
        log_prob = tf.where(inside, self.log_mass(x, context), tf.constant(-math.inf))
        return tf.where(missing, tf.constant(math.nan), log_prob)

    def seen(self, x) -> np.ndarray:
        """Integers `[batch, *event]` as the model sees them; a subclass may drop low bits."""
        return np.asarray(x)

    def bits_per_dim(self, x, context=None) -> tf.Tensor:
        """`-log_prob` in bits, divided by the number of dimensions: `[batch]`."""
        return -self.log_prob(x, context) / (math.prod(self.event_shape) * math.log(2.0))

    def check_data(self, name: str, x, start: int = 0) -> None:
        """Raises a ValueError that names the argument, if it is not of integers in range."""
        x = np.asarray(x)
        rows = x.reshape(len(x), math.prod(x.shape[1:]))
        good = ((rows >= 0) & (rows < self.levels) & (rows == np.floor(rows))).all(axis=1)
        if not good.all():
            row = int(np.argmin(good))
            raise ValueError(
                f"{name}: expected integers 0 to {self.levels - 1}, got numbers from "
                f"{rows[row].min():g} to {rows[row].max():g} in row {start + row}"
            )
