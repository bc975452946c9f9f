"""Residual maps: the identity plus a contraction."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.conditioner import build_conditioner
from tfflows.networks.linearization import Linearization, rademacher
from tfflows.random import next_noise_seed
from tfflows.tracking import layer_variables

_EXACT_TERMS = 4  # of the series, before the roulette
_TRUNCATION = 1e-6  # of the series at evaluation, per dimension


class Residual(Bijector):
    """Residual map over vectors: `x = y + g(y)` from data to latent, `g` a contraction.

    Latent to data, the result is the fixed point of `y = x - g(y)`, found to the precision of the
    dtype. The iteration contracts, so its length is bounded. Gradients are those of the implicit
    function theorem.

    The log-determinant `log|det(I + J)|`, with `J` the Jacobian of `g`, is

    * during training an unbiased estimate: the power series of the logarithm with Hutchinson's
      trace estimates. It always includes the first 4 terms and chooses the others by Russian
      roulette; the gradient uses its own (Neumann) series. Each further term survives with
      the contraction's bound squared as its probability, the smallest that keeps the variance
      finite for any weights;
    * otherwise a function of the row: exact for `size <= exact_below`, from the Jacobian. Above
      that, the series to 1e-6 per dimension, with `exact_below` fixed orthogonal vectors for the
      traces, the same for every row: repeatable, but an estimate.

    Args:
      size: length of the vector.
      network: a `tfflows.networks.LipschitzMLP` from `size` to `size`, or a function from the size
        to one.
      context_shape: shape of one context, passed to the network, or `None`.
      exact_below: the largest size with an exact log-determinant.
      name: name of the bijector.

    Raises:
      ValueError: if the network is not a contraction with a known bound.

    References: Behrmann et al., Invertible Residual Networks, 2019,
    https://arxiv.org/abs/1811.00995; Chen et al., Residual Flows for Invertible Generative
    Modeling, 2019, https://arxiv.org/abs/1906.02735
    """

    def __init__(
        self,
        size: int,
        network: Callable,
        context_shape: tuple[int, ...] | None = None,
        exact_below: int = 64,
        name: str = "residual",
    ):
        parameters = dict(locals())
        if size < 1 or exact_below < 1:
            what, value = ("size", size) if size < 1 else ("exact_below", exact_below)
            raise ValueError(f"{what}: expected at least 1, got {value}")
        super().__init__(
            forward_min_event_ndims=1,
            context_shape=context_shape,
            parameters=parameters,
            name=name,
        )
        self._size, self._exact_below = size, exact_below
        self.network = build_conditioner(network, size, size, self.context_shape, name)
        bound = getattr(self.network, "lipschitz", None)
        if not hasattr(self.network, "at") or bound is None or not 0.0 < bound < 1.0:
            raise ValueError(
                f"network: {name} expects a LipschitzMLP with a Lipschitz constant bounded below "
                f"1, got {type(self.network).__name__}"
            )
        self._bound = float(bound)
        self._network_variables = layer_variables(self.network)

    def _inverse_and_log_det(self, y, context):
        value, jacobian = self.network.at(context).linearize(y)
        return y + value, self._log_det(jacobian, y)

    def _forward_and_log_det(self, x, context):
        function = self.network.at(context)
        fixed = tf.stop_gradient(x)
        constant = function.stopped()
        point = tf.stop_gradient(_fixed_point(lambda y: fixed - constant(y), fixed, self._bound))
        # One Newton step outside the search: gradients reach x and the weights through it.
        value, jacobian = function.linearize(point)
        point += _solve(jacobian.stopped(), x - point - value, self._bound)
        log_det = -self._log_det(function.linearize(point)[1], point)
        return point, log_det

    def _log_det(self, jacobian, rows):
        seed = next_noise_seed()
        if seed is not None:
            survival = self._bound**2
            uniform = tf.random.stateless_uniform(
                [], tf.bitwise.invert(seed), alg=tf.random.Algorithm.PHILOX
            )
            more = tf.math.log(tf.maximum(uniform, 2.0**-24)) / math.log(survival)
            terms = _EXACT_TERMS + tf.cast(more, tf.int32)
            vectors = rademacher(seed, rows)[:, tf.newaxis]
            return _series(jacobian, vectors, terms, survival)
        if self._size <= self._exact_below:
            return _log_abs_det(jacobian.matrix(), self._size)
        vectors = tf.constant(_orthogonal(self._exact_below, self._size), rows.dtype)
        vectors = vectors + tf.zeros_like(rows)[:, tf.newaxis]
        terms = math.ceil(math.log(_TRUNCATION * (1.0 - self._bound)) / math.log(self._bound))
        return _series(jacobian, vectors, terms, 1.0)


def _log_abs_det(matrix, size):
    """`log|det(I + matrix)|` of a batch, by QR, because XLA has no determinant."""
    _, triangular = tf.linalg.qr(matrix + tf.eye(size, dtype=matrix.dtype))
    return tf.reduce_sum(tf.math.log(tf.abs(tf.linalg.diag_part(triangular))), axis=-1)


def _orthogonal(number: int, size: int) -> np.ndarray:
    """Fixed orthogonal vectors `[number, size]`, each with the norm of a vector of signs."""
    normal = np.random.RandomState(0).normal(size=(size, number))
    return np.linalg.qr(normal)[0].T * math.sqrt(size)


def _series(jacobian: Linearization, vectors, terms, survival: float):
    """`log|det(I + J)|`, `[batch]`, by `terms` of its series.

    If the covariance of a vector `v` is the identity,
    `log|det(I + J)| = sum_k (-1)^(k+1) E[v' J^k v] / k`. Its gradient is that of `w' J v` with
    `w = sum_k (-1)^k (J')^k v` held constant, so no power of J has to be kept.

    Args:
      jacobian: Jacobian of a contraction.
      vectors: `[batch, number, size]`; the estimate is the mean over them.
      terms: number of the last term.
      survival: probability that each term after the first 4 follows the one before.
    """
    constant, dtype = jacobian.stopped(), vectors.dtype
    one = tf.ones([], dtype)

    def add(k, weight, power, total, weighted):
        weight *= tf.where(k <= _EXACT_TERMS, one, one / survival)
        power = constant.transposed_times(power)
        total -= weight / tf.cast(k, dtype) * tf.reduce_sum(power * vectors, axis=[1, 2])
        return k + 1, -weight, power, total, weighted + weight * power

    state = (1, -one, vectors, tf.zeros_like(vectors[:, 0, 0]), vectors)
    *_, total, weighted = tf.while_loop(lambda k, *_: k <= terms, add, state)
    total, weighted = tf.stop_gradient(total), tf.stop_gradient(weighted)
    through = tf.reduce_sum(weighted * jacobian.times(vectors), axis=[1, 2])
    return (total + through - tf.stop_gradient(through)) / vectors.shape[1]


def _fixed_point(step, start, bound: float):
    """The fixed point of a contraction with a known bound, to the precision of the dtype."""
    precision = float(np.finfo(start.dtype.as_numpy_dtype).eps)
    # After this many steps the bound guarantees that nothing changes any more.
    most = math.ceil(math.log(precision * (1.0 - bound)) / math.log(bound))

    def going(change, scale, _):
        return tf.reduce_any(change > 4.0 * precision * scale)

    def advance(_, __, point):
        new = step(point)
        change = tf.reduce_max(tf.abs(new - point), axis=-1)
        return change, tf.reduce_max(tf.abs(new), axis=-1), new

    far = tf.ones_like(start[:, 0])
    return tf.while_loop(going, advance, (far, far, start), maximum_iterations=most)[-1]


def _solve(jacobian: Linearization, right, bound: float):
    """Solves `(I + J) v = right` by a Neumann series; only `right` gets a gradient, not `J`."""

    @tf.custom_gradient
    def solve(right):
        def gradient(upstream):
            back = jacobian.transposed_times
            return _fixed_point(lambda v: upstream - back(v), upstream, bound)

        return _fixed_point(lambda v: right - jacobian.times(v), right, bound), gradient

    return solve(right)
