"""Monotonic cubic splines."""

from __future__ import annotations

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.roots import invert_increasing
from tfflows.bijectors.spline import SplineBijector, SplineMap, ends_of_bin

tfb = tfp.bijectors


class _Cubic(SplineBijector):
    """Data to latents: the cubic that matches the values and slopes at both knots of a bin.

    In units of the bin, with slopes a and b: `q = a p + (3 - 2 a - b) p^2 + (a + b - 2) p^3`.
    """

    def __init__(self, latent_knots, data_knots, slopes, low, high, tails):
        super().__init__(latent_knots, data_knots, low, high, tails, "cubic_spline")
        self.slopes = slopes

    def _bin(self, index):
        y, right = ends_of_bin(self.data_knots, index)
        x, top = ends_of_bin(self.latent_knots, index)
        slope = (top - x) / (right - y)
        a, b = (d / slope for d in ends_of_bin(self.slopes, index))
        return y, right - y, x, top - x, a, b

    @staticmethod
    def _unit(p, a, b):
        """`q` and `log dq/dp`; the derivative in Bernstein form, with ends a and b."""
        q = p * (a + p * (3.0 - 2.0 * a - b + p * (a + b - 2.0)))
        rest = 1.0 - p
        return q, tf.math.log(a * rest**2 + 2.0 * (3.0 - a - b) * p * rest + b * p**2)

    def _from_data(self, y, index):
        y_k, w, x_k, h, a, b = self._bin(index)
        q, log_slope = self._unit((y - y_k) / w, a, b)
        return x_k + h * q, log_slope + tf.math.log(h / w)

    def _from_latent(self, x, index):
        y_k, w, x_k, h, a, b = self._bin(index)
        q = tf.clip_by_value((x - x_k) / h, 0.0, 1.0)

        # The closed form would lose digits where the cubic term is small. The straight lines beyond
        # the bin allow a wider bracket: rounding could put a root at the bin's end outside.
        def cubic(p):
            near = tf.clip_by_value(p, 0.0, 1.0)
            value, log_slope = self._unit(near, a, b)
            return value + (p - near), log_slope

        p = invert_increasing(cubic, q, tf.zeros_like(q) - 0.5, tf.ones_like(q) + 0.5)
        return y_k + w * p, tf.math.log(w / h) - self._unit(p, a, b)[1]


class CubicSpline(SplineMap):
    """Monotonic cubic spline, `2 bins + 2` parameters per dimension.

    The slopes at the inner knots follow from the bins by Steffen's rule, which keeps the spline
    monotonic. The slopes at both ends are free, up to three times that of their bin, so with
    identity tails the density may jump there.

    Args:
      bins: number of bins, at least 2.
      bound: the spline acts on [-bound, bound].
      min_bin: smallest width and height of a bin, as a fraction of the interval.
      min_slope: smallest slope at an end, as a fraction of the largest.
      tails: `"identity"`, or `"bounded"`: the unit interval onto itself; see `SplineMap`.

    References: Durkan, Bekasov, Murray & Papamakarios, Cubic-Spline Flows, 2019.
    https://arxiv.org/abs/1906.02145; Steffen, A simple method for monotonic interpolation in one
    dimension, Astronomy and Astrophysics 239, 1990.
    """

    def __init__(
        self,
        bins: int = 8,
        bound: float = 3.0,
        min_bin: float = 1e-3,
        min_slope: float = 1e-3,
        tails: str = "identity",
    ):
        super().__init__(bins, bound, min_bin, tails)
        if not 0 < min_slope < 1 / 3:
            raise ValueError(f"min_slope: expected a number between 0 and 1/3, got {min_slope}")
        self.min_slope = min_slope
        self.parameters = 2 * bins + 2

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 2 bins + 2]` (widths, heights, two slopes) into a spline."""
        raw_widths, raw_heights, raw_ends = tf.split(parameters, [self.bins, self.bins, 2], axis=-1)
        widths, heights = self.shares(raw_widths), self.shares(raw_heights)
        slopes = heights / widths
        left, right = slopes[..., :-1], slopes[..., 1:]
        w, v = widths[..., :-1], widths[..., 1:]
        parabola = (left * v + right * w) / (w + v)
        inner = tf.minimum(2.0 * tf.minimum(left, right), parabola)
        # Zeros give a share of a third, so that the slope is the bin's own.
        span = 1.0 - 2.0 * self.min_slope
        third = (1.0 / 3.0 - self.min_slope) / span
        share = self.min_slope + span * tf.sigmoid(raw_ends + math.log(third / (1.0 - third)))
        ends = 3.0 * share * tf.stack([slopes[..., 0], slopes[..., -1]], axis=-1)
        return _Cubic(
            self.knots(heights),
            self.knots(widths),
            tf.concat([ends[..., :1], inner, ends[..., 1:]], axis=-1),
            self.low,
            self.high,
            self.tails,
        )
