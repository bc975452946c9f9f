"""Sum-of-squares polynomial flows."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.affine_tails import AffineTails
from tfflows.bijectors.elementwise import bounded

tfb = tfp.bijectors


def _horner(coefficients: list, t: tf.Tensor) -> tf.Tensor:
    return functools.reduce(lambda value, c: value * t + c, reversed(coefficients))


class _SumOfSquares(AffineTails):
    """`x = shift + integral from 0 to y of (slope + mean_k p_k(u)^2) du`, `p_k` polynomials.

    The argument of the polynomials is `t = y / bound`, in [-1, 1].
    """

    def __init__(self, coefficients, shift, slope, bound):
        super().__init__(bound, "sum_of_squares")
        self.shift, self.slope = shift, slope
        self.polynomials = tf.unstack(coefficients, axis=-1)  # [..., terms] for each power
        degree = len(self.polynomials) - 1
        squares = [[] for _ in range(2 * degree + 1)]
        for i, a in enumerate(self.polynomials):
            for j, b in enumerate(self.polynomials[i:], i):
                squares[i + j].append((1.0 if i == j else 2.0) * tf.reduce_mean(a * b, axis=-1))
        self.integral = [tf.add_n(part) / (m + 1.0) for m, part in enumerate(squares)]

    def _within(self, y):
        t = y / self.bound
        x = self.shift + y * (self.slope + _horner(self.integral, t))
        # From the squares, not from their sum's coefficients: a square cannot be negative.
        squares = tf.square(_horner(self.polynomials, t[..., tf.newaxis]))
        return x, tf.math.log(self.slope + tf.reduce_mean(squares, axis=-1))


class SumOfSquares:
    """Integral of a mean of squared polynomials, `terms (degree + 1) + 1` parameters per dimension.

    From data to latents it is a polynomial of degree `2 degree + 1`, integrated in closed form, on
    [-bound, bound]. Beyond, it is a straight line that keeps the slope, because a polynomial
    overflows at ordinary outliers. The inverse is a bracketed root search.

    Args:
      degree: degree of the polynomials that are squared.
      terms: number of these polynomials.
      bound: the polynomial acts on [-bound, bound].
      min_slope: added to the squares: the smallest derivative.
      max_coefficient: the coefficients, in units of the interval, stay within +-max_coefficient.

    Reference: Jaini, Selby & Yu, Sum-of-Squares Polynomial Flow, 2019.
    https://arxiv.org/abs/1905.02325
    """

    def __init__(
        self,
        degree: int = 3,
        terms: int = 3,
        bound: float = 4.0,
        min_slope: float = 1e-3,
        max_coefficient: float = 10.0,
    ):
        if degree < 1:
            raise ValueError(f"degree: expected at least 1, got {degree}")
        if terms < 1:
            raise ValueError(f"terms: expected at least 1, got {terms}")
        for name, value in (("bound", bound), ("max_coefficient", max_coefficient)):
            if not value > 0:
                raise ValueError(f"{name}: expected a positive number, got {value}")
        if not 0 < min_slope < 1:
            raise ValueError(f"min_slope: expected a number between 0 and 1, got {min_slope}")
        self.degree, self.terms, self.bound = degree, terms, float(bound)
        self.min_slope, self.max_coefficient = min_slope, max_coefficient
        self.parameters = terms * (degree + 1) + 1
        # Starts near the identity, with no two polynomials alike, or they would stay alike.
        self._start = np.zeros([terms, degree + 1])
        self._start[:, 0] = 1.0
        self._start[:, 1] = 0.25 * np.linspace(-1.0, 1.0, terms) if terms > 1 else 0.0

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., parameters]` (coefficients, shift) into a polynomial."""
        raw, shift = parameters[..., :-1], parameters[..., -1]
        shape = tf.concat([tf.shape(shift), [self.terms, self.degree + 1]], 0)
        coefficients = tf.reshape(bounded(raw, self.max_coefficient), shape)
        coefficients += tf.constant(self._start, parameters.dtype)
        return _SumOfSquares(coefficients, shift, self.min_slope, self.bound)
