"""Piecewise-linear splines: the CDF of a histogram."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.spline import SplineBijector, SplineMap, ends_of_bin

tfb = tfp.bijectors


class _Linear(SplineBijector):
    """Data to latents: `x = x_k + (x_{k+1} - x_k) (y - y_k) / w`; all bins have width `w`."""

    def __init__(self, latent_knots, bins, low, high, tails):
        edges = tf.constant(np.linspace(low, high, bins + 1), latent_knots.dtype)
        data_knots = tf.broadcast_to(edges, tf.shape(latent_knots))
        super().__init__(latent_knots, data_knots, low, high, tails, "linear_spline")
        self.edges, self.width = edges, (high - low) / bins

    def _bin(self, index):
        x, right = ends_of_bin(self.latent_knots, index)
        return x, (right - x) / self.width, tf.gather(self.edges, index)

    def _from_data(self, y, index):
        x_k, slope, y_k = self._bin(index)
        return x_k + (y - y_k) * slope, tf.math.log(slope)

    def _from_latent(self, x, index):
        x_k, slope, y_k = self._bin(index)
        return y_k + (x - x_k) / slope, -tf.math.log(slope)


class LinearSpline(SplineMap):
    """Piecewise-linear spline, `bins` parameters per dimension.

    From data to latents it is the CDF of a histogram with bins of equal width. Its density jumps at
    the edges of the bins and of the interval. The edges are therefore not learned: the likelihood
    has no gradient with respect to them.

    Args:
      bins: number of bins, at least 2.
      bound: the spline acts on [-bound, bound].
      min_bin: smallest probability of a bin.
      tails: `"identity"`, or `"bounded"`: the unit interval onto itself; see `SplineMap`.

    Reference: Mueller, McWilliams, Rousselle, Gross & Novak, Neural Importance Sampling, 2018.
    https://arxiv.org/abs/1808.03856
    """

    def __init__(
        self,
        bins: int = 16,
        bound: float = 3.0,
        min_bin: float = 1e-3,
        tails: str = "identity",
    ):
        super().__init__(bins, bound, min_bin, tails)
        self.parameters = bins

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., bins]` (log-probabilities of the bins) into a spline."""
        knots = self.knots(self.shares(parameters))
        return _Linear(knots, self.bins, self.low, self.high, self.tails)
