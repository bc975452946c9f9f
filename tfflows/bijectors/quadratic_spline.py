"""Piecewise-quadratic splines: the CDF of a piecewise-linear density."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.spline import SplineBijector, SplineMap, ends_of_bin, unit_softplus

tfb = tfp.bijectors


class _Quadratic(SplineBijector):
    """Data to latents: `q = a p + (b - a) p^2 / 2` in units of a bin, with `a + b = 2`.

    `p` and `q` are the positions in its width and height, `a` and `b` the densities at its ends.
    """

    def __init__(self, latent_knots, data_knots, densities, low, high, tails):
        super().__init__(latent_knots, data_knots, low, high, tails, "quadratic_spline")
        self.densities = densities

    def _bin(self, index):
        y, right = ends_of_bin(self.data_knots, index)
        x, top = ends_of_bin(self.latent_knots, index)
        v0, v1 = ends_of_bin(self.densities, index)
        return y, right - y, x, top - x, 2.0 * v0 / (v0 + v1), 2.0 * v1 / (v0 + v1)

    def _from_data(self, y, index):
        y_k, w, x_k, h, a, b = self._bin(index)
        p = (y - y_k) / w
        q = p * (a + 0.5 * (b - a) * p)
        return x_k + h * q, tf.math.log(a + (b - a) * p) + tf.math.log(h / w)

    def _from_latent(self, x, index):
        y_k, w, x_k, h, a, b = self._bin(index)
        q = tf.clip_by_value((x - x_k) / h, 0.0, 1.0)
        density = tf.sqrt((1.0 - q) * a**2 + q * b**2)
        return y_k + w * 2.0 * q / (a + density), tf.math.log(w / h) - tf.math.log(density)


class QuadraticSpline(SplineMap):
    """Piecewise-quadratic spline.

    From data to latents it is the CDF of a piecewise-linear density. It takes `2 bins - 1`
    parameters per dimension with identity tails, which fix the density to 1 at both ends and so
    make it continuous, and `2 bins + 1` with bounded support.

    Args:
      bins: number of bins, at least 2.
      bound: the spline acts on [-bound, bound].
      min_bin: smallest width of a bin, as a fraction of the interval, and smallest density at a
        knot, as a fraction of the uniform one.
      tails: `"identity"`, or `"bounded"`: the unit interval onto itself; see `SplineMap`.

    Reference: Mueller, McWilliams, Rousselle, Gross & Novak, Neural Importance Sampling, 2018.
    https://arxiv.org/abs/1808.03856
    """

    def __init__(
        self,
        bins: int = 8,
        bound: float = 3.0,
        min_bin: float = 1e-3,
        tails: str = "identity",
    ):
        super().__init__(bins, bound, min_bin, tails)
        self.parameters = 2 * bins - 1 if tails == "identity" else 2 * bins + 1

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., parameters]` (widths, densities at the knots) into a spline."""
        raw_widths, raw = parameters[..., : self.bins], parameters[..., self.bins :]
        shares = self.shares(raw_widths)
        densities = unit_softplus(raw, self.min_bin)
        if self.tails == "identity":
            # The ends are chosen to be 1 after the division by the integral.
            weights = 0.5 * (shares[..., 1:] + shares[..., :-1])
            inner = tf.reduce_sum(weights * densities, axis=-1, keepdims=True)
            end = inner / (1.0 - 0.5 * (shares[..., :1] + shares[..., -1:]))
            densities = tf.concat([end, densities, end], axis=-1)
        probabilities = shares * 0.5 * (densities[..., 1:] + densities[..., :-1])
        total = tf.reduce_sum(probabilities, axis=-1, keepdims=True)
        lift = 1.0 - self.min_bin
        return _Quadratic(
            self.knots(self.min_bin * shares + lift * probabilities / total),
            self.knots(shares),
            self.min_bin + lift * densities / total,
            self.low,
            self.high,
            self.tails,
        )
