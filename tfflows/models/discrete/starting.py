"""Models of which some variables start from data."""

from __future__ import annotations

import tensorflow as tf

from tfflows.models.feeding import as_tensor


def new_flag() -> tf.Variable:
    """What a model keeps as `parts.initialized`: 0 before it has started from data, then 1."""
    return tf.Variable(0, dtype=tf.int32, trainable=False, name="initialized")


class StartsFromData:
    """Mixin of such models.

    `_start(values, context)` takes checked data, counted from 0, and sets these variables.
    """

    @property
    def initialized(self) -> bool:
        """Whether the model has started from data."""
        return bool(self.parts.initialized.numpy())

    def initialize(self, x, context=None) -> None:
        """Starts from a batch of data, unless this has been done.

        Args:
          x: `[batch, *event]`, at least one row.
          context: `[batch, *context_shape]` for a conditional model.

        Raises:
          ValueError: if there is no row, or numbers are not integers in the model's range.
        """
        if self.initialized:
            return
        given = as_tensor(x)
        values, context, _ = self._unpack((given, context))
        if values.shape[0] == 0:
            raise ValueError("x: expected at least one row to start from, got none")
        self.check_data("x", given.numpy())
        self._start(self._counted(values), context)
        self.parts.initialized.assign(1)

    def _start(self, values, context) -> None:
        raise NotImplementedError

    def _counted(self, x):
        """Data as integers from 0."""
        return x
