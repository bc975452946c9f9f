"""Monotonic rational-quadratic splines."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.spline import SplineBijector, SplineMap, ends_of_bin, unit_softplus

tfb = tfp.bijectors


class _RationalQuadratic(SplineBijector):
    """Latents to data: `q = p (p + a (1 - p)) / (1 + (a + b - 2) p (1 - p))` in units of a bin.

    `p` and `q` are the positions in its width and height, `a` and `b` the slopes at its ends.
    """

    def __init__(self, widths, heights, raw_slopes, min_slope, low, high, tails):
        super().__init__(widths, heights, low, high, tails, "rational_quadratic_spline")
        self.raw_slopes, self.min_slope = raw_slopes, min_slope

    def _bin(self, index):
        x, right = ends_of_bin(self.latent_knots, index)
        y, top = ends_of_bin(self.data_knots, index)
        w, h = right - x, top - y
        a, b = (unit_softplus(d, self.min_slope) for d in ends_of_bin(self.raw_slopes, index))
        return x, w, y, h, a * w / h, b * w / h

    @staticmethod
    def _log_slope(p, a, b):
        rest = p * (1.0 - p)
        numerator = b * p**2 + 2.0 * rest + a * (1.0 - p) ** 2
        return tf.math.log(numerator) - 2.0 * tf.math.log(1.0 + (a + b - 2.0) * rest)

    def _from_latent(self, x, index):
        x_k, w, y_k, h, a, b = self._bin(index)
        p = (x - x_k) / w
        rest = p * (1.0 - p)
        q = (p**2 + a * rest) / (1.0 + (a + b - 2.0) * rest)
        return y_k + h * q, self._log_slope(p, a, b) + tf.math.log(h / w)

    def _from_data(self, y, index):
        x_k, w, y_k, h, a, b = self._bin(index)
        q = tf.clip_by_value((y - y_k) / h, 0.0, 1.0)
        # The solution is p = 2 q / (2 q + m + sqrt(m^2 + 4 q (1 - q))). Its only cancellation is
        # that of m and the square root, if m is negative.
        m, rest = a * (1.0 - q) - b * q, 4.0 * q * (1.0 - q)
        total = tf.where(m > 0.0, m, -m) + tf.sqrt(m**2 + rest)
        p = 2.0 * q / (2.0 * q + tf.where(m > 0.0, total, rest / total))
        return x_k + w * p, tf.math.log(w / h) - self._log_slope(p, a, b)


class RationalQuadraticSpline(SplineMap):
    """Monotonic rational-quadratic spline.

    It takes `3 bins - 1` parameters per dimension with identity tails, which fix the slope to 1 at
    both ends, and `3 bins + 1` with bounded support.

    Args:
      bins: number of bins, at least 2.
      bound: the spline acts on [-bound, bound].
      min_bin: smallest width and height of a bin, as a fraction of the interval.
      min_slope: smallest derivative at a knot.
      tails: `"identity"`, or `"bounded"`: the unit interval onto itself; see `SplineMap`.

    Reference: Durkan, Bekasov, Murray & Papamakarios, Neural Spline Flows, 2019.
    https://arxiv.org/abs/1906.04032
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
        if not 0 < min_slope < 1:
            raise ValueError(f"min_slope: expected a number between 0 and 1, got {min_slope}")
        self.min_slope = min_slope
        self._inner = bins - 1 if tails == "identity" else bins + 1
        self.parameters = 2 * bins + self._inner

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., parameters]` (widths, heights, slopes) into a spline."""
        widths, heights, slopes = tf.split(parameters, [self.bins, self.bins, self._inner], axis=-1)
        if self.tails == "identity":  # zeros: a slope of 1
            slopes = tf.pad(slopes, [[0, 0]] * (slopes.shape.rank - 1) + [[1, 1]])
        return _RationalQuadratic(
            self.knots(self.shares(widths)),
            self.knots(self.shares(heights)),
            slopes,
            self.min_slope,
            self.low,
            self.high,
            self.tails,
        )
