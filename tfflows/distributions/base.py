"""Base distributions: independent over dimensions, sampled through their quantile function."""

from __future__ import annotations

import math
import re

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.roots import invert_increasing
from tfflows.random import from_tails

tfd = tfp.distributions


class Base:
    """The distribution of one latent number.

    Attributes:
      name: how it is written in a config: `"normal"`, `"uniform"`, `"beta(5,5)"`.
      supports_temperature: whether a scaled draw is a draw from a distribution of the same family.
    """

    name: str
    supports_temperature = False

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        """Log-density of each number, nats; -inf outside the support."""
        raise NotImplementedError

    def quantile(self, u: tf.Tensor) -> tf.Tensor:
        """The number below which a share `u` of the distribution lies, for 0 < u < 1."""
        raise NotImplementedError

    def tail_quantile(self, v: tf.Tensor, upper: tf.Tensor, rest=0.0) -> tf.Tensor:
        """`quantile(1 - v)` where `upper`, `quantile(v)` elsewhere, without rounding `1 - v`.

        Args:
          v, upper, rest: as `tfflows.random.tail_rows` returns them.
        """
        return self.quantile(from_tails(v, upper))

    def distribution(self) -> tfd.Distribution:
        """This distribution as a scalar TFP distribution."""
        raise NotImplementedError


class Normal(Base):
    """The standard normal."""

    name = "normal"
    supports_temperature = True

    def log_prob(self, z):
        """See `Base`."""
        return -0.5 * tf.square(z) - 0.5 * math.log(2.0 * math.pi)

    def quantile(self, u):
        """See `Base`."""
        return tf.math.ndtri(u)

    def tail_quantile(self, v, upper, rest=0.0):
        """See `Base`."""
        z = tf.math.ndtri(v)
        z += rest * math.sqrt(2.0 * math.pi) * tf.exp(0.5 * tf.square(z))
        return tf.where(upper, -z, z)

    def distribution(self):
        """See `Base`."""
        return tfd.Normal(0.0, 1.0)


class Logistic(Base):
    """The standard logistic."""

    name = "logistic"
    supports_temperature = True

    def log_prob(self, z):
        """See `Base`."""
        return -tf.nn.softplus(z) - tf.nn.softplus(-z)

    def quantile(self, u):
        """See `Base`."""
        return tf.math.log(u) - tf.math.log1p(-u)

    def tail_quantile(self, v, upper, rest=0.0):
        """See `Base`."""
        # Exact near the median: t = 1 - 2 v is small there, and has all digits.
        t = (1.0 - 2.0 * v) - 2.0 * rest
        near = tf.math.log1p(-tf.minimum(t, 0.5)) - tf.math.log1p(t)
        z = tf.where(v >= 0.25, near, self.quantile(v))
        return tf.where(upper, -z, z)

    def distribution(self):
        """See `Base`."""
        return tfd.Logistic(0.0, 1.0)


def _inside(z, log_prob_inside):
    """`log_prob_inside` of z where 0 <= z <= 1, -inf elsewhere; NaN stays NaN."""
    outside = (z < 0.0) | (z > 1.0)
    inner = tf.where(outside, tf.constant(0.5, z.dtype), z)
    inside = tf.where(tf.math.is_nan(z), z, log_prob_inside(inner))
    return tf.where(outside, tf.constant(-math.inf, z.dtype), inside)


class Uniform(Base):
    """The uniform distribution on [0, 1]."""

    name = "uniform"

    def log_prob(self, z):
        """See `Base`."""
        return _inside(z, lambda inner: 0.0 * inner)

    def quantile(self, u):
        """See `Base`."""
        return u

    def distribution(self):
        """See `Base`."""
        return tfd.Uniform(0.0, 1.0)


class Beta(Base):
    """The Beta distribution on [0, 1].

    Args:
      a, b: its two positive parameters, at least 1 (a density without poles).
    """

    def __init__(self, a: float, b: float):
        if not (1 <= a < math.inf and 1 <= b < math.inf):
            raise ValueError(
                f"base: expected beta(a,b) with finite a, b >= 1, got beta({a:g},{b:g})"
            )
        self.a, self.b = float(a), float(b)
        self.name = f"beta({a:g},{b:g})"
        self._log_norm = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    def log_prob(self, z):
        """See `Base`."""
        return _inside(
            z,
            lambda inner: (
                tf.math.xlogy(self.a - 1.0, inner)
                + tf.math.xlog1py(self.b - 1.0, -inner)
                - self._log_norm
            ),
        )

    def quantile(self, u):
        """See `Base`."""
        return self.tail_quantile(u, tf.zeros_like(u, tf.bool))

    def tail_quantile(self, v, upper, rest=0.0):
        """See `Base`."""
        # The upper tail is the lower tail of Beta(b, a).
        a, b = (tf.constant(value, v.dtype) for value in (self.a, self.b))
        a, b = tf.where(upper, b, a), tf.where(upper, a, b)

        def log_prob(z):
            terms = tf.math.xlogy(a - 1.0, z) + tf.math.xlog1py(b - 1.0, -z)
            return terms - self._log_norm

        z = invert_increasing(
            lambda z: (tf.math.betainc(a, b, z), log_prob(z)), v, tf.zeros_like(v), tf.ones_like(v)
        )
        return tf.where(upper, 1.0 - z, z)

    def distribution(self):
        """See `Base`."""
        return tfd.Beta(self.a, self.b)


def get(base: str | Base) -> Base:
    """Returns the base distribution that `base` names.

    Args:
      base: `"normal"`, `"logistic"`, `"uniform"`, `"beta(a,b)"`, or a `Base`.

    Raises:
      ValueError: if `base` names none.
    """
    if isinstance(base, Base):
        return base
    if base == "normal":
        return Normal()
    if base == "logistic":
        return Logistic()
    if base == "uniform":
        return Uniform()
    number = r"\s*(\d+\.?\d*(?:e\+?\d+)?)\s*"
    match = re.fullmatch(rf"beta\({number},{number}\)", str(base))
    if match:
        return Beta(float(match[1]), float(match[2]))
    raise ValueError(f"base: expected normal, logistic, uniform or beta(a,b), got {base!r}")
