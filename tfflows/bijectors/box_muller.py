"""The Box-Muller transform."""

from __future__ import annotations

import math

import tensorflow as tf

from tfflows.bijectors.base import Bijector


class BoxMuller(Bijector):
    """Maps pairs of uniform numbers to pairs of independent standard normals.

    A latent vector is `(u_1 .. u_h, v_1 .. v_h)`, all in (0, 1), and with `r = sqrt(-2 log u)`

        x = (r_1 cos 2 pi v_1, .. , r_h cos 2 pi v_h, r_1 sin 2 pi v_1, .. , r_h sin 2 pi v_h).

    Over a uniform base it is a flow whose density is the standard normal. A pair farther from the
    origin than about 13 (float32) or 38 (float64) has a `u` that rounds to 0.

    Args:
      size: length of the vector, even.
      name: name of the bijector.

    Raises:
      ValueError: if `size` is not even and positive.

    Reference: Box & Muller, A Note on the Generation of Random Normal Deviates, 1958.
    https://doi.org/10.1214/aoms/1177706645
    """

    def __init__(self, size: int, name: str = "box_muller"):
        parameters = dict(locals())
        if int(size) < 2 or int(size) % 2:
            raise ValueError(f"size: expected an even number, got {size}")
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self._size = int(size)

    def _forward_and_log_det(self, x, context):
        u, v = tf.split(x, 2, axis=-1)
        log_u = tf.math.log(u)
        # The slope of a square root is infinite at 0, so stay off it.
        radius = tf.sqrt(-2.0 * log_u + 1e-30)
        angle = 2.0 * math.pi * v
        y = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=-1)
        return y, tf.reduce_sum(math.log(2.0 * math.pi) - log_u, axis=-1)

    def _inverse_and_log_det(self, y, context):
        first, second = tf.split(y, 2, axis=-1)
        log_u = -0.5 * (tf.square(first) + tf.square(second))
        # The angle has no gradient at the origin, so another point stands in for it.
        origin = tf.equal(first, 0.0) & tf.equal(second, 0.0)
        turn = tf.atan2(second, tf.where(origin, tf.ones_like(first), first)) / (2.0 * math.pi)
        v = tf.where(turn < 0.0, turn + 1.0, turn)
        x = tf.concat([tf.exp(log_u), v], axis=-1)
        return x, tf.reduce_sum(log_u - math.log(2.0 * math.pi), axis=-1)
