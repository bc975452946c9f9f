"""Products of Householder reflections, and the linear map given by its QR factors."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.linear import matvec


def reflect(vectors: tf.Tensor, x: tf.Tensor, transpose: bool = False) -> tf.Tensor:
    """Applies `H_1 H_2 ... H_k` to `x`, with `H_i = I - 2 v_i v_i^T / |v_i|^2`.

    The product is `I - U^T T U`, where the rows of `U` are the unit vectors and the inverse of the
    triangular `T` has the upper half of `U U^T` above a diagonal of halves. This costs O(k^2 d)
    once, then O(k d) per row, without a loop. A vector of zeros stands for the identity.

    Args:
      vectors: `[k, d]`.
      x: `[..., d]`.
      transpose: apply the transpose, which is the inverse.

    Returns:
      `[..., d]`.

    Reference: Joffrain, Low, Quintana-Orti, van de Geijn & Van Zee, Accumulating Householder
    transformations, revisited, ACM Transactions on Mathematical Software 32(2), 2006.
    https://doi.org/10.1145/1141885.1141886
    """
    # Scaled by its largest entry first, so that no square under- or overflows.
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(vectors), -1, keepdims=True))
    unit = vectors / tf.where(largest > 0.0, largest, 1.0)
    square = tf.reduce_sum(tf.square(unit), -1, keepdims=True)
    unit *= tf.math.rsqrt(tf.where(square > 0.0, square, 1.0))
    gram = tf.matmul(unit, unit, transpose_b=True)
    inverse = tf.linalg.set_diag(
        tf.linalg.band_part(gram, 0, -1), tf.fill([vectors.shape[0]], tf.cast(0.5, gram.dtype))
    )
    factor = tf.linalg.triangular_solve(inverse, unit, lower=False)
    first, second = (unit, factor) if transpose else (factor, unit)
    return x - matvec(tf.transpose(second), matvec(first, x))


class Householder(Bijector):
    """Product of Householder reflections: `y = H_1 H_2 ... H_k x`, a trained rotation.

    It preserves volume: the log-determinant is 0. `size` reflections can represent every orthogonal
    matrix with their determinant's sign. Starts from random directions.

    Args:
      size: length of the vector.
      reflections: number of reflections, `k`.
      seed: seed of the initial directions.
      dtype: floating type of the variables.
      name: name of the bijector.

    Reference: Tomczak & Welling, Improving Variational Auto-Encoders using Householder Flow, 2016.
    https://arxiv.org/abs/1611.09630
    """

    def __init__(
        self,
        size: int,
        reflections: int,
        seed: int = 0,
        dtype=tf.float32,
        name: str = "householder",
    ):
        parameters = dict(locals())
        for label, count in (("size", size), ("reflections", reflections)):
            if int(count) < 1:
                raise ValueError(f"{label}: expected at least 1, got {count}")
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self._size = size
        start = np.random.RandomState(seed).normal(size=(reflections, size))
        self.vectors = tf.Variable(tf.constant(start, dtype), name=f"{name}_vectors")

    def _forward_and_log_det(self, x, context):
        return reflect(tf.convert_to_tensor(self.vectors), x), tf.zeros_like(x[..., 0])

    def _inverse_and_log_det(self, y, context):
        x = reflect(tf.convert_to_tensor(self.vectors), y, transpose=True)
        return x, tf.zeros_like(y[..., 0])


class QRLinear(Bijector):
    """Linear map given by its QR factors: `x = Q R (y - b)` from data to latent.

    `Q` is a product of Householder reflections, `R` upper triangular with a positive diagonal, so
    the map is always invertible. Each direction costs O(d^2), the log-determinant O(d). Starts as
    the identity: the reflections start as pairs that undo each other.

    Args:
      size: length of the vector.
      reflections: an even number; by default the smallest that is at least `size`, which is enough
        for every matrix with a positive determinant.
      seed: seed of the initial directions.
      dtype: floating type of the variables.
      name: name of the bijector.

    Raises:
      ValueError: for an odd number of reflections.

    Reference: Hoogeboom, van den Berg & Welling, Emerging Convolutions for Generative Normalizing
    Flows, 2019. https://arxiv.org/abs/1901.11137
    """

    def __init__(
        self,
        size: int,
        reflections: int | None = None,
        seed: int = 0,
        dtype=tf.float32,
        name: str = "qr_linear",
    ):
        parameters = dict(locals())
        if int(size) < 1:
            raise ValueError(f"size: expected at least 1, got {size}")
        reflections = size + size % 2 if reflections is None else reflections
        if reflections < 2 or reflections % 2:
            raise ValueError(f"reflections: expected an even number, got {reflections}")
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self._size = size
        self._above = np.stack(np.triu_indices(size, 1), axis=1)
        pairs = np.random.RandomState(seed).normal(size=(reflections // 2, size))
        start = tf.constant(np.repeat(pairs, 2, axis=0), dtype)
        self.vectors = tf.Variable(start, name=f"{name}_vectors")
        self.upper = tf.Variable(tf.zeros([len(self._above)], dtype), name=f"{name}_upper")
        self.log_diagonal = tf.Variable(tf.zeros([size], dtype), name=f"{name}_log_diagonal")
        self.shift = tf.Variable(tf.zeros([size], dtype), name=f"{name}_shift")

    def _triangular(self):
        upper = tf.scatter_nd(self._above, tf.convert_to_tensor(self.upper), [self._size] * 2)
        return upper + tf.linalg.diag(tf.exp(self.log_diagonal))

    def _inverse_and_log_det(self, y, context):
        x = matvec(self._triangular(), y - self.shift)
        log_det = tf.reduce_sum(self.log_diagonal) + tf.zeros_like(x[..., 0])
        return reflect(tf.convert_to_tensor(self.vectors), x), log_det

    def _forward_and_log_det(self, x, context):
        rotated = reflect(tf.convert_to_tensor(self.vectors), x, transpose=True)
        columns = tf.transpose(tf.reshape(rotated, [-1, self._size]))
        columns = tf.linalg.triangular_solve(self._triangular(), columns, lower=False)
        y = tf.reshape(tf.transpose(columns), tf.shape(x)) + self.shift
        log_det = tf.zeros_like(x[..., 0]) - tf.reduce_sum(self.log_diagonal)
        return tf.ensure_shape(y, x.shape), log_det
