"""Sylvester flows: planar flows with more than one ridge at a time."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.householder import reflect
from tfflows.bijectors.linear import matvec
from tfflows.bijectors.ridge import LEAST_SLOPE, invert_ridge, ridge_derivative

FORMS = ("orthogonal", "householder", "triangular")


class Sylvester(Bijector):
    """Sylvester flow: `y = x + Q R tanh(S Q^T x + b)`, in closed form from latent to data.

    `Q` has orthonormal columns, `R` and `S` are upper triangular. The map is invertible because
    each product of their diagonal entries is above -1: the diagonals are `tanh`s, as in the paper.
    `form` selects `Q`:

    * `orthogonal`: the Q of the QR factorisation of a free `[size, columns]` matrix. It is
      orthonormal up to rounding for any matrix (the paper's iteration only comes close);
    * `householder`: a product of Householder reflections, `columns = size`;
    * `triangular`: the identity, or the reversal of the vector, `columns = size`.

    Within the columns of `Q` the map is `v + R tanh(S v + b)`, whose Jacobian is triangular. Data
    to latent solves one monotone equation for each coordinate, from the last to the first, to float
    precision, with the gradients of the implicit function theorem.

    Args:
      size: length of the vector.
      columns: number of columns of `Q`, for the orthogonal form only; `size` by default.
      form: `orthogonal`, `householder` or `triangular`.
      reflections: number of reflections, for the Householder form only; `size` by default.
      reverse: whether the triangular form reverses the vector, as every other layer should.
      seed: seed of the initial `Q` and `S`.
      dtype: floating type of the variables.
      name: name of the bijector.

    Raises:
      ValueError: for another form, or an argument that the form does not have.

    Reference: van den Berg, Hasenclever, Tomczak & Welling, Sylvester Normalizing Flows for
    Variational Inference, 2018. https://arxiv.org/abs/1803.05649
    """

    def __init__(
        self,
        size: int,
        columns: int | None = None,
        form: str = "orthogonal",
        reflections: int | None = None,
        reverse: bool = False,
        seed: int = 0,
        dtype=tf.float32,
        name: str = "sylvester",
    ):
        parameters = dict(locals())
        if form not in FORMS:
            raise ValueError(f"form: expected {', '.join(FORMS[:2])} or {FORMS[2]}, got {form!r}")
        given = {"columns": columns, "reflections": reflections, "reverse": reverse or None}
        owner = dict(zip(given, FORMS, strict=True))
        for argument, value in given.items():
            if value is not None and owner[argument] != form:
                raise ValueError(f"{argument}: expected none for the {form} form, got {value}")
        columns = size if columns is None else columns
        reflections = size if reflections is None else reflections
        for label, count in (("size", size), ("reflections", reflections)):
            if int(count) < 1:
                raise ValueError(f"{label}: expected at least 1, got {count}")
        if not 1 <= columns <= size:
            raise ValueError(f"columns: expected 1 to {size}, got {columns}")
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self._size, self._columns, self._form, self._reverse = size, columns, form, reverse
        self._above = np.stack(np.triu_indices(columns, 1), axis=1)
        rng = np.random.RandomState(seed)

        def variable(label, value):
            return tf.Variable(tf.constant(value, dtype), name=f"{name}_{label}")

        if form == "orthogonal":
            self.free = variable("free", rng.normal(size=(size, columns)))
        elif form == "householder":
            self.vectors = variable("vectors", rng.normal(size=(reflections, size)))
        # R = 0 makes the map the identity. S is not 0, or no gradient would reach either.
        self.r_above = variable("r_above", np.zeros(len(self._above)))
        self.r_diagonal = variable("r_diagonal", np.zeros(columns))
        self.s_above = variable("s_above", rng.normal(size=len(self._above)) / columns)
        self.s_diagonal = variable("s_diagonal", rng.normal(size=columns))
        self.bias = variable("bias", np.zeros(columns))

    def _orthonormal(self):
        """`Q`, `[size, columns]`."""
        if self._form == "orthogonal":
            return tf.linalg.qr(tf.convert_to_tensor(self.free))[0]
        identity = tf.eye(self._size, dtype=self.bias.dtype)
        if self._form == "householder":
            return tf.transpose(reflect(tf.convert_to_tensor(self.vectors), identity))
        return identity[::-1] if self._reverse else identity

    def _triangular(self):
        """`R`, `S`, and `1 + r_ii s_ii`: the slope along each coordinate at its ridge."""
        bound = (1.0 - LEAST_SLOPE) ** 0.5

        def upper(above, diagonal):
            matrix = tf.scatter_nd(self._above, tf.convert_to_tensor(above), [self._columns] * 2)
            return matrix + tf.linalg.diag(diagonal)

        r, s = bound * tf.tanh(self.r_diagonal), bound * tf.tanh(self.s_diagonal)
        return upper(self.r_above, r), upper(self.s_above, s), 1.0 + r * s

    def _forward_and_log_det(self, x, context):
        q, (r, s, slope) = self._orthonormal(), self._triangular()
        t = matvec(s, matvec(tf.transpose(q), x)) + self.bias
        log_det = tf.reduce_sum(tf.math.log(ridge_derivative(t, slope)), -1)
        return x + matvec(q, matvec(r, tf.tanh(t))), log_det

    def _inverse_and_log_det(self, y, context):
        q, (r, s, slope) = self._orthonormal(), self._triangular()
        bias = tf.convert_to_tensor(self.bias)
        v = _solve(matvec(tf.transpose(q), y), r, s, bias, slope)
        t = matvec(s, v) + bias
        log_det = -tf.reduce_sum(tf.math.log(ridge_derivative(t, slope)), -1)
        return y - matvec(q, matvec(r, tf.tanh(t))), log_det


def _solve(target, r, s, bias, slope):
    """Solves `v + R tanh(S v + b) = target` for `v`, with implicit gradients."""
    v = tf.stop_gradient(_substitute(*map(tf.stop_gradient, (target, r, s, bias, slope))))
    h = tf.tanh(matvec(s, v) + bias)
    residual = target - (v + matvec(r, h))
    slopes = (1.0 - tf.square(h))[..., tf.newaxis, :]
    jacobian = tf.stop_gradient(tf.eye(r.shape[0], dtype=r.dtype) + tf.matmul(r * slopes, s))
    step = tf.linalg.triangular_solve(jacobian, residual[..., tf.newaxis], lower=False)[..., 0]
    # Adds zero to the value, and the implicit function theorem's derivative to the gradient.
    return v + step - tf.stop_gradient(step)


def _substitute(target, r, s, bias, slope):
    """The values of `_solve`, from the last coordinate to the first."""
    r_diagonal, s_diagonal = tf.linalg.diag_part(r), tf.linalg.diag_part(s)
    above = r - tf.linalg.diag(r_diagonal)
    size = r.shape[0]

    def step(i, v):
        # Coordinates up to i are still zero in v, so this is what the later ones contribute.
        t = matvec(s, v) + bias
        rest = tf.gather(target - matvec(above, tf.tanh(t)), i, axis=-1)
        # With t_i = s_ii v_i + t: s_ii rest + t = t_i + r_ii s_ii tanh(t_i).
        t_i = invert_ridge(s_diagonal[i] * rest + tf.gather(t, i, axis=-1), slope[i])
        value = rest - r_diagonal[i] * tf.tanh(t_i)
        return i - 1, v + value[..., tf.newaxis] * tf.one_hot(i, size, dtype=v.dtype)

    start = (tf.constant(size - 1), tf.zeros_like(target))
    return tf.while_loop(
        lambda i, v: i >= 0, step, start, maximum_iterations=size, parallel_iterations=1
    )[1]
