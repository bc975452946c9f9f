"""Vectors of integers, each column of which has a range of its own."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.models.columns import NamedColumns

_LARGEST = 2**24  # float32 holds all integers up to this


class IntegerColumns(NamedColumns):
    """Mixin of models of vectors of integers, with `levels` possible ones from a least one on.

    A model keeps the least integers in `parts.least`, made by `_new_least`; `_draw(seed)` returns
    draws counted from 0, and their log-probability.
    """

    modality = "integers"
    event_dtype = tf.int32

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        return {"dim": event_shape[0]}

    @staticmethod
    def _new_least(dim: int) -> tf.Variable:
        return tf.Variable(tf.zeros(dim), trainable=False, name="least")

    def set_least(self, least) -> None:
        """Sets the least integer of each column; `levels` integers from there on are possible.

        Args:
          least: `[dim]`, whole numbers; all possible ones must be within +-2**24.

        Raises:
          ValueError: for another shape, or numbers that are not whole or too large.
        """
        least = np.asarray(least, np.float64)
        if least.shape != self._event_shape or not np.array_equal(least, np.rint(least)):
            raise ValueError(
                f"least: expected {self._event_shape[0]} whole numbers, got {least.tolist()}"
            )
        if np.abs(least).max() + self.levels > _LARGEST:
            raise ValueError(f"least: expected numbers within +-2**24, got {least.tolist()}")
        self.parts.least.assign(least.astype(np.float32))

    @property
    def least(self) -> np.ndarray:
        """The least integer of each column, int64 `[dim]`."""
        return self.parts.least.numpy().astype(np.int64)

    def log_prob_fn(self, x, context=None):
        """Log-probability `[batch]`, nats, as a graph function."""
        return super().log_prob_fn(self._counted(x), context)

    def _counted(self, x):
        return tf.cast(x, tf.float32) - self.parts.least

    def check_data(self, name: str, x, start: int = 0) -> None:
        """Raises a ValueError that names the argument, if it is not of integers in range."""
        super().check_data(name, np.asarray(x) - self.least, start)

    def seen(self, x) -> np.ndarray:
        """Integers `[batch, *event]` as the model sees them."""
        return np.asarray(x)

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their log-probability, as a graph function."""
        values, log_prob = self._draw(seed)
        return tf.cast(values + self.parts.least, self.event_dtype), log_prob
