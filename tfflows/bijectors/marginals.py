"""Makes each number of a vector normal, with a curve initialised from the data."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from scipy import special

from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det
from tfflows.bijectors.rational_quadratic_spline import RationalQuadraticSpline

_MIN_BIN, _MIN_SLOPE = 1e-4, 1e-4


class Marginals(Bijector):
    """Makes each number of a vector normal: `z = spline(stretch * asinh((y - m) / s))`.

    The hyperbolic arcsine shortens long tails. The rational-quadratic spline then goes through the
    quantiles of the data. The layers that follow, which model how numbers depend on each other,
    therefore see standard normal numbers for any column: skewed, heavy-tailed or bimodal. Beyond
    the data the latents grow with the logarithm of the number.

    Until `initialize_from` is called (a `Flow` calls it once, before training) the spline is the
    identity and `initialized` is false. Training then updates only the spline.

    Args:
      size: length of the vector.
      bins: number of bins of each spline.
      bound: the splines act on [-bound, bound].
      dtype: floating type of the variables.
      name: name of the bijector.
    """

    def __init__(
        self,
        size: int,
        bins: int = 24,
        bound: float = 5.0,
        dtype=tf.float32,
        name: str = "marginals",
    ):
        parameters = dict(locals())
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self._size = int(size)
        self.map = RationalQuadraticSpline(bins, bound, _MIN_BIN, _MIN_SLOPE)
        zeros = tf.zeros([size], dtype)

        def fixed(value, what):
            return tf.Variable(value, trainable=False, name=f"{name}_{what}")

        self.centre, self.log_scale = fixed(zeros, "centre"), fixed(zeros, "log_scale")
        self.stretch = fixed(zeros + 1.0, "stretch")
        self.raw = tf.Variable(tf.zeros([size, self.map.parameters], dtype), name=f"{name}_spline")
        self.initialized = tf.Variable(0, dtype=tf.int32, trainable=False, name=f"{name}_init")

    def _spline(self):
        return self.map(tf.convert_to_tensor(self.raw))

    def _forward_and_log_det(self, x, context):
        a, log_det = forward_and_log_det(self._spline(), x, 1)
        a = a / self.stretch
        y = self.centre + tf.exp(self.log_scale) * tf.sinh(a)
        return y, log_det - tf.reduce_sum(self._log_slope(a), -1)

    def _inverse_and_log_det(self, y, context):
        a = tf.asinh((y - self.centre) * tf.exp(-self.log_scale))
        z, log_det = inverse_and_log_det(self._spline(), a * self.stretch, 1)
        return z, log_det + tf.reduce_sum(self._log_slope(a), -1)

    def _log_slope(self, a):
        """The log-derivative of `stretch * asinh((y - m) / s)`, where `a` is the arcsine."""
        log_cosh = tf.abs(a) + tf.math.log1p(tf.exp(-2.0 * tf.abs(a))) - math.log(2.0)
        return tf.math.log(self.stretch) - self.log_scale - log_cosh

    def initialize_from(self, values, inverse: bool = True) -> None:
        """Sets the curves so that each number of `values` comes out standard normal.

        Args:
          values: `[n, size]`, data.
          inverse: must be true: the map starts from data.

        Raises:
          ValueError: if `inverse` is false.
        """
        if not inverse:
            raise ValueError(
                f"{self.name}: is set from data, so its `inverse` must be what takes data to "
                "latents; here its `forward` does (is it inside a tfb.Invert?)"
            )
        rows = np.asarray(values, np.float64).reshape(-1, self._size)
        low, centre, high = np.quantile(rows, [0.25, 0.5, 0.75], axis=0)
        deviation = rows.std(axis=0)
        scale = np.clip((high - low) / 1.349, 0.05 * deviation, deviation)
        scale = np.where(scale > 0, scale, 1.0)
        a = np.arcsinh((rows - centre) / scale)
        bound = self.map.bound
        stretch = np.minimum(1.0, 0.85 * bound / np.abs(a).max(axis=0).clip(1e-6))
        raw = np.stack([self._through_quantiles(column) for column in (a * stretch).T])
        for variable, value in (
            (self.centre, centre),
            (self.log_scale, np.log(scale)),
            (self.stretch, stretch),
            (self.raw, raw),
        ):
            variable.assign(value.astype(variable.dtype.as_numpy_dtype))
        self.initialized.assign(1)

    def _through_quantiles(self, a: np.ndarray) -> np.ndarray:
        """Parameters of the spline that maps normal scores to the quantiles of `a`."""
        bound, bins, n = self.map.bound, self.map.bins, len(a)
        # Inner knots with at least some rows beyond them; then the end: identity tails.
        furthest = special.ndtri(1.0 - min(0.25, 4.0 / n))
        scores = np.linspace(-furthest, furthest, bins - 1)
        # Quantiles of a smoothed distribution; the fewer the rows, the stronger the smoothing.
        width = 0.6 * n ** (-1 / 4)
        offsets = np.linspace(-2.5, 2.5, 21)
        weights = np.exp(-0.5 * offsets**2)
        spread = special.ndtr(scores[:, None] + width * offsets)
        quantiles = np.quantile(a, spread) @ (weights / weights.sum())
        latent = np.concatenate([[-bound], scores, [bound]])
        data = np.concatenate([[-bound], quantiles, [bound]])
        smallest = 2.0 * _MIN_BIN * 2.0 * bound
        gaps = np.maximum(np.diff(data), smallest)
        data = np.concatenate([[-bound], -bound + np.cumsum(gaps) * 2.0 * bound / gaps.sum()])
        widths, heights = np.diff(latent), np.diff(data)
        steep = heights / widths
        slopes = np.sqrt(steep[:-1] * steep[1:])
        return np.concatenate(
            [self._raw_shares(widths), self._raw_shares(heights), _raw_slopes(slopes)]
        )

    def _raw_shares(self, lengths: np.ndarray) -> np.ndarray:
        """The raw values that `SplineMap.shares` maps to these lengths, as shares of their sum."""
        shares = lengths / lengths.sum()
        free = (shares - _MIN_BIN) / (1.0 - _MIN_BIN * self.map.bins)
        raw = np.log(np.maximum(free, 1e-8))
        return raw - raw.mean()


def _raw_slopes(slopes: np.ndarray) -> np.ndarray:
    """The raw values that `unit_softplus` maps to these slopes."""
    above = np.maximum(slopes - _MIN_SLOPE, 1e-6)
    return above + np.log(-np.expm1(-above)) - math.log(math.expm1(1.0 - _MIN_SLOPE))
