"""Invertible 1x1 convolution: one trained matrix over the channels of every position."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.householder import reflect

KINDS = ("plain", "lu", "qr")


def _random_rotation(size: int, seed: int) -> np.ndarray:
    rotation, triangular = np.linalg.qr(np.random.RandomState(seed).normal(size=(size, size)))
    # Fixes the signs that a QR factorisation leaves open.
    return rotation * np.sign(np.diag(triangular))


def _packed_lu(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`(order, packed)` with `matrix[order] = L U`, `L` below the diagonal of `packed`."""
    packed, order = matrix.copy(), np.arange(len(matrix))
    for k in range(len(matrix)):
        swap = [k, k + int(np.argmax(np.abs(packed[k:, k])))]
        packed[swap], order[swap] = packed[swap[::-1]], order[swap[::-1]]
        packed[k + 1 :, k] /= packed[k, k]
        packed[k + 1 :, k + 1 :] -= np.outer(packed[k + 1 :, k], packed[k, k + 1 :])
    return order, packed


def _packed_qr(matrix: np.ndarray) -> np.ndarray:
    """`R`, and below its diagonal the vectors of the reflections whose product is `Q`.

    The i-th vector is 1 at place i and 0 before it, as in LAPACK, so there are no spare numbers.
    """
    packed = matrix.copy()
    for k in range(len(matrix)):
        length = np.copysign(np.linalg.norm(packed[k:, k]), packed[k, k])
        vector = packed[k:, k].copy()
        vector[0] += length
        vector /= vector[0]
        packed[k:, k:] -= np.outer(vector, vector @ packed[k:, k:]) * (2.0 / (vector @ vector))
        packed[k + 1 :, k] = vector[1:]
    return packed


class InvertibleConvolution1x1(Bijector):
    """Glow's invertible 1x1 convolution: `x = W y` from data to latent, at every position.

    Acts on the last axis of `[batch, ..., channels]`; the log-determinant is that of one position,
    `[batch, ...]`. Starts as a random rotation, the same for every kind. Each direction assembles
    one matrix (`W` or its inverse, O(channels^3)) and multiplies by it once.

    Args:
      channels: length of the last axis.
      kind: `"plain"`, the matrix itself; `"lu"`, `W = P L U` with a fixed permutation `P`, a unit
        lower triangular `L` and an upper triangular `U`; `"qr"`, `W = Q R` with `Q` a product of
        Householder reflections and `R` upper triangular. The signs of the diagonals of `U` and `R`
        are fixed and the logarithms of their magnitudes are trained, so both kinds always stay
        invertible.
      seed: seed of the initial rotation.
      dtype: floating type of the variables.
      name: name of the bijector.

    Raises:
      ValueError: for an unknown kind, or fewer than one channel.

    Reference: Kingma & Dhariwal, Glow, 2018 (section 3.2). https://arxiv.org/abs/1807.03039
    For `"qr"`: Hoogeboom, van den Berg & Welling, Emerging Convolutions for Generative
    Normalizing Flows, 2019. https://arxiv.org/abs/1901.11137
    """

    _any_batch = True

    def __init__(
        self,
        channels: int,
        kind: str = "lu",
        seed: int = 0,
        dtype=tf.float32,
        name: str = "convolution1x1",
    ):
        parameters = dict(locals())
        if kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
        if int(channels) < 1:
            raise ValueError(f"channels: expected at least 1, got {channels}")
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self._size, self._kind = channels, kind
        start = _random_rotation(channels, seed)
        if kind != "plain":
            self._order = np.arange(channels)
            if kind == "lu":
                self._order, start = _packed_lu(start)
            else:
                start = _packed_qr(start)
            self._sign = np.sign(np.diag(start))
            np.fill_diagonal(start, np.log(np.abs(np.diag(start))))
        # For "lu" and "qr" one square matrix holds both factors and the logarithms of one diagonal.
        self.kernel = tf.Variable(tf.constant(start, dtype), name=f"{name}_kernel")

    def _factors(self):
        """The unit lower triangle (`L`, or the reflections), and the upper triangular factor."""
        kernel = tf.convert_to_tensor(self.kernel)
        diagonal = tf.exp(tf.linalg.diag_part(kernel)) * tf.constant(self._sign, kernel.dtype)
        lower = tf.linalg.set_diag(tf.linalg.band_part(kernel, -1, 0), tf.ones_like(diagonal))
        return lower, tf.linalg.set_diag(tf.linalg.band_part(kernel, 0, -1), diagonal)

    def _matrix(self):
        if self._kind == "plain":
            return tf.convert_to_tensor(self.kernel)
        lower, upper = self._factors()
        if self._kind == "lu":
            return tf.gather(tf.matmul(lower, upper), np.argsort(self._order))
        return tf.transpose(reflect(tf.transpose(lower), tf.transpose(upper)))

    def _inverse_matrix(self):
        identity = np.eye(self._size)
        if self._kind == "plain":
            return tf.linalg.inv(tf.convert_to_tensor(self.kernel))
        lower, upper = self._factors()
        if self._kind == "lu":
            permuted = tf.constant(identity[self._order], lower.dtype)
            columns = tf.linalg.triangular_solve(lower, permuted, lower=True)
        else:
            columns = reflect(tf.transpose(lower), tf.constant(identity, lower.dtype))
        return tf.linalg.triangular_solve(upper, columns, lower=False)

    def _log_det(self):
        if self._kind != "plain":
            return tf.linalg.trace(self.kernel)
        # By QR, because XLA has no determinant.
        _, triangular = tf.linalg.qr(tf.convert_to_tensor(self.kernel))
        return tf.reduce_sum(tf.math.log(tf.abs(tf.linalg.diag_part(triangular))))

    def _apply(self, matrix, value):
        # One product for all positions: as a batch, TF would multiply one row of pixels at a time.
        rows = tf.matmul(tf.reshape(value, [-1, self._size]), matrix, transpose_b=True)
        return tf.ensure_shape(tf.reshape(rows, tf.shape(value)), value.shape)

    def _inverse_and_log_det(self, y, context):
        return self._apply(self._matrix(), y), self._log_det() + tf.zeros_like(y[..., 0])

    def _forward_and_log_det(self, x, context):
        return self._apply(self._inverse_matrix(), x), tf.zeros_like(x[..., 0]) - self._log_det()
