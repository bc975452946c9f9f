"""Two maps side by side, each on one half of the channels."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors import base
from tfflows.bijectors.base import Bijector
from tfflows.bijectors.normalization import initialize

tfb = tfp.bijectors


class ChannelBlockwise(Bijector):
    """Applies one map to the first half of the last axis and another to the second.

    Args:
      first, last: bijectors of vectors that do not change the length.
      name: name of the bijector.
    """

    _any_batch = True

    def __init__(self, first: tfb.Bijector, last: tfb.Bijector, name: str = "channel_blockwise"):
        parameters = dict(locals())
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self.first, self.last = first, last

    def _apply(self, joint, value):
        if value.shape[-1] % 2:
            raise ValueError(f"event: {self.name} needs an even length, got {value.shape[-1]}")
        parts = tf.split(value, 2, axis=-1)
        results = [
            joint(b, part, 1) for b, part in zip((self.first, self.last), parts, strict=True)
        ]
        return tf.concat([r[0] for r in results], -1), results[0][1] + results[1][1]

    def _forward_and_log_det(self, x, context):
        return self._apply(base.forward_and_log_det, x)

    def _inverse_and_log_det(self, y, context):
        return self._apply(base.inverse_and_log_det, y)

    def initialize_members(self, values, event_ndims, context, inverse):
        """Initialises both maps from their halves; see `normalization.initialize`."""
        parts = zip((self.first, self.last), tf.split(values, 2, axis=-1), strict=True)
        return tf.concat([initialize(b, part, event_ndims, None, inverse) for b, part in parts], -1)
