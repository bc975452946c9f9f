"""Monotonic rational-quadratic splines."""

from __future__ import annotations

import math

import tensorflow as tf
import tensorflow_probability as tfp

tfb = tfp.bijectors


class SplineBijector(tfb.RationalQuadraticSpline):
    """TFP's spline with joint methods: one search for the bin gives value and derivative.

    Takes TFP's arguments. Each direction's log-determinant would otherwise search again, among the
    knots of the other axis.
    """

    context_shape = None

    @staticmethod
    def _log_slope(d, position):
        """Log-derivative of the forward map at `position` in [0, 1] of its bin."""
        rest = position * (1.0 - position)
        numerator = d.d_kp1 * position**2 + 2.0 * d.s_k * rest + d.d_k * (1.0 - position) ** 2
        denominator = d.s_k + (d.d_kp1 + d.d_k - 2.0 * d.s_k) * rest
        log_slope = 2.0 * tf.math.log(d.s_k / denominator) + tf.math.log(numerator)
        return tf.where(d.out_of_bounds, tf.zeros_like(position), log_slope)

    def forward_and_log_det(self, x, context=None):
        """Returns `(y, log dy/dx)`, elementwise."""
        del context
        d = self._compute_shared(x=x)
        position = tf.where(d.out_of_bounds, tf.zeros_like(x), (x - d.x_k) / d.w_k)
        rest = position * (1.0 - position)
        denominator = d.s_k + (d.d_kp1 + d.d_k - 2.0 * d.s_k) * rest
        inside = d.y_k + d.h_k * (d.s_k * position**2 + d.d_k * rest) / denominator
        return tf.where(d.out_of_bounds, x, inside), self._log_slope(d, position)

    def inverse_and_log_det(self, y, context=None):
        """Returns `(x, log dx/dy)`, elementwise."""
        del context
        d = self._compute_shared(y=y)
        height = tf.where(d.out_of_bounds, tf.zeros_like(y), y - d.y_k)
        bend = height * (d.d_kp1 + d.d_k - 2.0 * d.s_k)
        a = d.h_k * (d.s_k - d.d_k) + bend
        b = d.h_k * d.d_k - bend
        c = -d.s_k * height
        # The root that loses no digits; the discriminant is positive but for rounding.
        tiny = 1e-30 if y.dtype == tf.float32 else 1e-200
        root = tf.sqrt(tf.maximum(b**2 - 4.0 * a * c, tiny))
        position = tf.clip_by_value(-2.0 * c / (b + root), 0.0, 1.0)
        x = tf.where(d.out_of_bounds, y, position * d.w_k + d.x_k)
        return x, -self._log_slope(d, position)


class RationalQuadraticSpline:
    """Monotonic rational-quadratic spline with identity tails, `3 bins - 1` parameters a dimension.

    Args:
      bins: number of bins, at least 2.
      bound: the spline acts on [-bound, bound]; outside it the map is the identity.
      min_bin: smallest width and height of a bin, as a fraction of the interval.
      min_slope: smallest derivative at a knot.

    Reference: Durkan, Bekasov, Murray & Papamakarios, Neural Spline Flows, 2019.
    https://arxiv.org/abs/1906.04032
    """

    def __init__(
        self, bins: int = 8, bound: float = 3.0, min_bin: float = 1e-3, min_slope: float = 1e-3
    ):
        if bins < 2:
            raise ValueError(f"bins: expected at least 2, got {bins}")
        if not bound > 0:
            raise ValueError(f"bound: expected a positive number, got {bound}")
        if not 0 < min_bin * bins < 1:
            raise ValueError(
                f"bins: {bins} bins of at least {min_bin} do not fit, at most 1/min_bin"
            )
        if not 0 < min_slope < 1:
            raise ValueError(f"min_slope: expected a number between 0 and 1, got {min_slope}")
        self.bins, self.bound = bins, bound
        self.min_bin, self.min_slope = min_bin, min_slope
        self.parameters = 3 * bins - 1

    def _bin_sizes(self, raw):
        share = self.min_bin + (1.0 - self.min_bin * self.bins) * tf.nn.softmax(raw, axis=-1)
        return 2.0 * self.bound * share

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 3 bins - 1]` (widths, heights, inner slopes) into a spline."""
        widths, heights, slopes = tf.split(
            parameters, [self.bins, self.bins, self.bins - 1], axis=-1
        )
        unit = math.log(math.expm1(1.0 - self.min_slope))
        return SplineBijector(
            bin_widths=self._bin_sizes(widths),
            bin_heights=self._bin_sizes(heights),
            knot_slopes=self.min_slope + tf.nn.softplus(slopes + unit),
            range_min=tf.constant(-self.bound, parameters.dtype),
        )
