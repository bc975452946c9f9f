"""Flows through the cumulative distribution function of a mixture."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.elementwise import bounded, check_bound
from tfflows.bijectors.roots import invert_increasing

tfb = tfp.bijectors
tfd = tfp.distributions

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _normal_log_pdf(x):
    return -0.5 * tf.square(x) - _HALF_LOG_2PI


def _log_ndtr(x):
    return tfd.Normal(tf.zeros([], x.dtype), 1.0).log_cdf(x)


def _mills(z):
    """Phi(z) / phi(z) for z <= 0."""
    near = tf.maximum(z, -30.0)  # farther out the two logarithms agree in all their digits
    return tf.where(z > -30.0, tf.exp(_log_ndtr(near) - _normal_log_pdf(near)), -1.0 / z)


def _ndtri_exp(log_p):
    """The normal quantile of `exp(log_p)` for `log_p <= log(1/2)`, accurate in the far tail."""
    frozen = tf.stop_gradient(log_p)
    near = tf.maximum(frozen, -10.0)
    far = tf.minimum(frozen, -10.0)
    tail = tf.sqrt(-2.0 * far - tf.math.log(-4.0 * math.pi * far))
    z = tf.where(frozen > -10.0, tf.math.ndtri(tf.exp(near)), -tail)
    for _ in range(3):
        z += (frozen - _log_ndtr(z)) * _mills(z)
    z = tf.stop_gradient(z)
    # Adds zero to the value, and the inverse's derivative to the gradient.
    return z + (log_p - frozen) * tf.stop_gradient(_mills(z))


class _Logistic:
    @staticmethod
    def log_pdf(t):
        return -tf.nn.softplus(t) - tf.nn.softplus(-t)

    @staticmethod
    def log_cdf(t):
        return -tf.nn.softplus(-t)

    @staticmethod
    def quantile_of_logit(logit):
        return logit


class _Normal:
    log_pdf = staticmethod(_normal_log_pdf)
    log_cdf = staticmethod(_log_ndtr)

    @staticmethod
    def quantile_of_logit(logit):
        # Only for a bracket's end: computed in the lower half, with the sign restored after.
        return -tf.sign(logit) * _ndtri_exp(-tf.nn.softplus(tf.abs(logit)))


_COMPONENTS = {"normal": _Normal, "logistic": _Logistic}


class MixtureCDFBijector(Bijector):
    """Maps data through a mixture's CDF, then through the quantile function of a target.

    `x = Q(F(y))` for data `y`, where `F` is the mixture's CDF and `Q` the identity (`"uniform"`,
    latents in (0, 1)), the normal quantile (`"normal"`) or the logit (`"logistic"`). In the far
    tails `F` is kept as a log-probability on its smaller side, so normal and logistic latents stay
    exact where `F` rounds to 1.

    Args:
      logits: `[..., K]`, unnormalised log-weights.
      loc: `[..., K]`.
      log_scale: `[..., K]`.
      component: `"normal"` or `"logistic"`.
      target: `"uniform"`, `"normal"` or `"logistic"`.
      name: name of the bijector.
    """

    def __init__(self, logits, loc, log_scale, component, target, name="mixture_cdf"):
        parameters = dict(locals())
        super().__init__(parameters=parameters, name=name)
        self.log_weights = tf.nn.log_softmax(logits, axis=-1)
        self.loc, self.log_scale = loc, log_scale
        self.component, self.target = _COMPONENTS[component], target

    def _log_cdf_sf_pdf(self, y):
        t = (y[..., tf.newaxis] - self.loc) * tf.exp(-self.log_scale)
        terms = (
            self.component.log_cdf(t),
            self.component.log_cdf(-t),
            self.component.log_pdf(t) - self.log_scale,
        )
        return [tf.reduce_logsumexp(self.log_weights + term, axis=-1) for term in terms]

    def _inverse_and_log_det(self, y, context):
        log_cdf, log_sf, log_pdf = self._log_cdf_sf_pdf(y)
        if self.target == "uniform":
            tiny = np.finfo(y.dtype.as_numpy_dtype).tiny
            below_one = 1.0 - np.finfo(y.dtype.as_numpy_dtype).epsneg
            return tf.clip_by_value(tf.exp(log_cdf), tiny, below_one), log_pdf
        if self.target == "logistic":
            return log_cdf - log_sf, log_pdf - log_cdf - log_sf
        lower = log_cdf <= log_sf
        # log F <= log(1/2) on the smaller side, up to rounding of the mixture's sum.
        tail = _ndtri_exp(tf.minimum(tf.where(lower, log_cdf, log_sf), math.log(0.5)))
        x = tf.where(lower, tail, -tail)
        return x, log_pdf - _normal_log_pdf(x)

    def _forward_and_log_det(self, x, context):
        if self.target == "uniform":
            tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
            below_one = 1.0 - np.finfo(x.dtype.as_numpy_dtype).epsneg
            u = tf.clip_by_value(x, tiny, below_one)
            logit = tf.math.log(u) - tf.math.log1p(-u)
        elif self.target == "logistic":
            logit = x
        else:
            logit = _log_ndtr(x) - _log_ndtr(-x)

        def log_odds(y):
            log_cdf, log_sf, log_pdf = self._log_cdf_sf_pdf(y)
            return log_cdf - log_sf, log_pdf - log_cdf - log_sf

        # A mixture's quantile lies between the smallest and largest of its components'.
        scale = tf.exp(self.log_scale)
        quantiles = self.loc + scale * self.component.quantile_of_logit(logit)[..., tf.newaxis]
        margin = 1e-3 * tf.reduce_max(scale, axis=-1)
        low = tf.reduce_min(quantiles, axis=-1) - margin
        high = tf.reduce_max(quantiles, axis=-1) + margin
        y = invert_increasing(log_odds, logit, low, high)
        return y, -self._inverse_and_log_det(y, None)[1]


class MixtureCDF:
    """Mixture-CDF map, `3 components` parameters per dimension; see `MixtureCDFBijector`.

    Args:
      components: number of mixture components.
      component: `"normal"` or `"logistic"`.
      target: what the map turns the mixture into: `"uniform"`, `"normal"` or `"logistic"`.
      spread: the components' initial locations are evenly spaced on [-spread, spread].
      bound: log-scales stay within +-bound.

    References: Ho et al., Flow++, 2019. https://arxiv.org/abs/1902.00275; for Gaussians, the
    probability integral transform.
    """

    def __init__(
        self,
        components: int = 5,
        component: str = "normal",
        target: str = "normal",
        spread: float = 2.0,
        bound: float = 7.0,
    ):
        if components < 1:
            raise ValueError(f"components: expected at least 1, got {components}")
        if component not in _COMPONENTS:
            raise ValueError(f"component: expected normal or logistic, got {component!r}")
        if target not in ("uniform", "normal", "logistic"):
            raise ValueError(f"target: expected uniform, normal or logistic, got {target!r}")
        self.components, self.component, self.target = components, component, target
        self.spread, self.bound = spread, check_bound(bound)
        self.parameters = 3 * components

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 3 K]` (logits, locations, raw log-scales) into a mixture's CDF."""
        logits, loc, raw = tf.split(parameters, 3, axis=-1)
        start = np.linspace(-1.0, 1.0, self.components) if self.components > 1 else np.zeros(1)
        loc += tf.constant(self.spread * start, parameters.dtype)
        return MixtureCDFBijector(
            logits, loc, bounded(raw, self.bound), self.component, self.target
        )
