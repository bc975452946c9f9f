"""Deep sigmoidal maps: the transformer of neural autoregressive flows."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.elementwise import bounded
from tfflows.bijectors.roots import invert_increasing

tfb = tfp.bijectors


def _normalize(terms: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`log_softmax` and `reduce_logsumexp` of the last axis, with one exponential."""
    largest = tf.stop_gradient(tf.reduce_max(terms, axis=-1, keepdims=True))
    terms -= largest
    log_sum = tf.math.log(tf.reduce_sum(tf.exp(terms), axis=-1, keepdims=True))
    return terms - log_sum, (largest + log_sum)[..., 0]


class _DeepSigmoidal(Bijector):
    """Data to latents, each layer in turn: `x = logit(sum_i w_i sigmoid(a_i y + b_i))`.

    Sigmoids, weights and their sums are kept as logarithms on both sides of 1/2, so nothing
    saturates. Far out, a layer is a straight line with the smallest of the slopes `a_i`.

    Args:
      layers: for each layer the log-weights, log-slopes and shifts, `[..., units]` each.
    """

    def __init__(self, layers):
        super().__init__(name="deep_sigmoidal")
        self.layers = layers

    @staticmethod
    def _layer(y, log_weights, log_slopes, shifts):
        t = y[..., tf.newaxis] * tf.exp(log_slopes) + shifts
        log_below = -tf.nn.softplus(-t)
        log_above = log_below - t
        below, log_cdf = _normalize(log_weights + log_below)
        above, log_sf = _normalize(log_weights + log_above)
        # The derivative of log F - log(1 - F): a sum of positive terms of each unit, none cancels.
        slopes = tf.concat([below + log_above, above + log_below], axis=-1)
        slopes += tf.concat([log_slopes, log_slopes], axis=-1)
        return log_cdf - log_sf, tf.reduce_logsumexp(slopes, axis=-1)

    def _inverse_and_log_det(self, y, context):
        log_det = tf.zeros_like(y)
        for layer in self.layers:
            y, log_slope = self._layer(y, *layer)
            log_det += log_slope
        return y, log_det

    def _forward_and_log_det(self, x, context):
        log_det = tf.zeros_like(x)
        for layer in reversed(self.layers):
            # A mean of sigmoids lies between the smallest and the largest of them, so the layer's
            # root lies between those of its units. The margin is for rounding.
            _, log_slopes, shifts = layer
            scale = tf.exp(-log_slopes)
            roots = (x[..., tf.newaxis] - shifts) * scale
            margin = 1e-3 * scale + 1e-5 * tf.abs(roots)
            x = invert_increasing(
                lambda y, layer=layer: self._layer(y, *layer),
                x + tf.zeros_like(roots[..., 0]),
                tf.reduce_min(roots - margin, axis=-1),
                tf.reduce_max(roots + margin, axis=-1),
            )
            log_det -= self._layer(x, *layer)[1]
        return x, log_det


class DeepSigmoidal:
    """Deep sigmoidal flow, `3 units layers` parameters per dimension.

    From data to latents each layer is the logit of a weighted mean of sigmoids; its inverse is a
    bracketed root search.

    Args:
      units: number of sigmoids in a layer.
      layers: number of layers.
      bound: log-slopes stay within +-bound.
      spread: the initial shifts of a layer's sigmoids are evenly spaced on [-spread, spread].

    Reference: Huang, Krueger, Lacoste & Courville, Neural Autoregressive Flows, 2018.
    https://arxiv.org/abs/1804.00779
    """

    def __init__(self, units: int = 8, layers: int = 2, bound: float = 4.0, spread: float = 1.0):
        if units < 1:
            raise ValueError(f"units: expected at least 1, got {units}")
        if layers < 1:
            raise ValueError(f"layers: expected at least 1, got {layers}")
        if not bound > 0:
            raise ValueError(f"bound: expected a positive number, got {bound}")
        if not spread >= 0:
            raise ValueError(f"spread: expected a number of at least 0, got {spread}")
        self.units, self.layers, self.bound, self.spread = units, layers, bound, spread
        self.parameters = 3 * units * layers

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 3 units layers]` (for each layer logits, log-slopes, shifts) into a map."""
        # Units that start alike would stay alike.
        start = np.linspace(-1.0, 1.0, self.units) if self.units > 1 else np.zeros(1)
        start = tf.constant(self.spread * start, parameters.dtype)
        layers = []
        for layer in tf.split(parameters, self.layers, axis=-1):
            logits, raw, shifts = tf.split(layer, 3, axis=-1)
            log_weights = tf.nn.log_softmax(logits, axis=-1)
            layers.append((log_weights, bounded(raw, self.bound), shifts + start))
        return _DeepSigmoidal(layers)
