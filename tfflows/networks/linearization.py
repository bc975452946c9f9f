"""The Jacobian of a multilayer perceptron at a batch of points, as a product of its layers."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


class Linearization:
    """The Jacobian `J` of a perceptron at each row of a batch, stored as its factors.

    A layer `x -> f(x W + b)` has the factor `W diag(f')`. Products with vectors cost about as much
    as the network itself. They need no gradient tape, so they can be differentiated again, run in
    loops and be compiled.

    Args:
      factors: `(kernel [inputs, outputs], slope [batch, outputs])` of each layer; a slope is `None`
        for a layer without one.
    """

    def __init__(self, factors: Sequence[tuple[tf.Tensor, tf.Tensor | None]]):
        self._factors = list(factors)

    def stopped(self) -> Linearization:
        """The same Jacobian as a constant."""
        stop = tf.stop_gradient
        return Linearization([(stop(w), s if s is None else stop(s)) for w, s in self._factors])

    def times(self, tangents: tf.Tensor) -> tf.Tensor:
        """`J v` for tangents `v` `[batch, inputs]` or `[batch, number, inputs]`."""
        for kernel, slope in self._factors:
            tangents = _scaled(_matmul(tangents, kernel), slope)
        return tangents

    def transposed_times(self, cotangents: tf.Tensor) -> tf.Tensor:
        """`J^T u` for cotangents `u` `[batch, outputs]` or `[batch, number, outputs]`."""
        for kernel, slope in reversed(self._factors):
            cotangents = _matmul(_scaled(cotangents, slope), tf.transpose(kernel))
        return cotangents

    def matrix(self) -> tf.Tensor:
        """`J^T`, `[batch, inputs, outputs]`: row i is the derivative with respect to input i."""
        kernel, slope = self._factors[0]
        # The tangents are the identity, whose product with the first kernel is that kernel.
        tangents = kernel[tf.newaxis] if slope is None else kernel * slope[:, tf.newaxis]
        return Linearization(self._factors[1:]).times(tangents)

    def trace(self) -> tf.Tensor:
        """The trace of `J`, `[batch]`."""
        return tf.linalg.trace(self.matrix())


def _scaled(vectors: tf.Tensor, slope: tf.Tensor | None) -> tf.Tensor:
    if slope is None:
        return vectors
    return vectors * (slope if vectors.shape.rank == 2 else slope[:, tf.newaxis])


def _matmul(vectors: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Multiplies in one matrix product, where broadcasting would make one per row."""
    if vectors.shape.rank == 2:
        return vectors @ kernel
    inputs, outputs = kernel.shape
    product = tf.reshape(vectors, [-1, inputs]) @ kernel
    return tf.reshape(product, [-1, vectors.shape[1], outputs])


def rademacher(seed: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Random signs with the shape and dtype of `like`, for estimates of traces.

    Args:
      seed: `int32` `[2]`.
      like: a tensor.

    Reference: Hutchinson, A stochastic estimator of the trace of the influence matrix, 1990.
    https://doi.org/10.1080/03610919008812866
    """
    # Philox is named because the default algorithm may change under XLA.
    bits = tf.random.stateless_uniform(
        tf.shape(like), seed, 0, 2, dtype=tf.int32, alg=tf.random.Algorithm.PHILOX
    )
    return tf.ensure_shape(tf.cast(2 * bits - 1, like.dtype), like.shape)
