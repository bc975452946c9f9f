"""Maps between numbers in [0, levels] and a flow: a logit, or a scale and shift."""

from __future__ import annotations

import math

import tensorflow as tf

from tfflows.bijectors.base import Bijector


class Logit(Bijector):
    """`x = logit(margin + (1 - 2 margin) y / levels)` from data `y` to latents, elementwise.

    Any real latent maps to data within `levels * margin / (1 - 2 margin)` of [0, levels]; data
    outside that range have log-density -inf.

    Args:
      levels: width of the data's range, 256 for bytes.
      margin: distance of the range's ends from 0 and 1, above 0 and below 1/2.
      name: name of the bijector.

    Raises:
      ValueError: if an argument is out of its range.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016 (section 4.1).
    https://arxiv.org/abs/1605.08803
    """

    def __init__(self, levels: float = 256, margin: float = 0.05, name: str = "logit"):
        parameters = dict(locals())
        if not 0 < margin < 0.5:
            raise ValueError(f"margin: expected a number between 0 and 1/2, got {margin}")
        _check_levels(levels)
        super().__init__(parameters=parameters, name=name)
        self.levels, self.margin = float(levels), float(margin)
        self._log_slope = math.log((1.0 - 2.0 * margin) / levels)

    def _inverse_and_log_det(self, y, context):
        u = self.margin + (1.0 - 2.0 * self.margin) / self.levels * y
        inside = (u > 0.0) & (u < 1.0)
        u = tf.where(inside, u, tf.constant(0.5, y.dtype))
        log_u, log_rest = tf.math.log(u), tf.math.log1p(-u)
        log_det = self._log_slope - log_u - log_rest
        # No latent maps to data outside the range.
        outside = tf.where(tf.math.is_nan(y), y, tf.constant(-math.inf, y.dtype))
        return log_u - log_rest, tf.where(inside, log_det, outside)

    def _forward_and_log_det(self, x, context):
        u = tf.sigmoid(x)
        y = (u - self.margin) * (self.levels / (1.0 - 2.0 * self.margin))
        return y, -tf.nn.softplus(x) - tf.nn.softplus(-x) - self._log_slope


class Rescale(Bijector):
    """`x = y / levels - 1/2` from data `y` to latents, elementwise.

    Args:
      levels: width of the data's range, 256 for bytes.
      name: name of the bijector.
    """

    def __init__(self, levels: float = 256, name: str = "rescale"):
        parameters = dict(locals())
        _check_levels(levels)
        super().__init__(parameters=parameters, name=name)
        self.levels = float(levels)

    def _inverse_and_log_det(self, y, context):
        return y / self.levels - 0.5, tf.zeros_like(y) - math.log(self.levels)

    def _forward_and_log_det(self, x, context):
        return (x + 0.5) * self.levels, tf.zeros_like(x) + math.log(self.levels)


def _check_levels(levels):
    if not 0 < levels < math.inf:
        raise ValueError(f"levels: expected a positive number, got {levels}")
