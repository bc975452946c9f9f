"""Whether an estimate of a log-determinant is right on average."""

import dataclasses

import numpy as np
import tensorflow as tf

from tfflows.bijectors import continuous, residual
from tfflows.random import training_noise

DRAWS = 200


@dataclasses.dataclass(frozen=True)
class Mean:
    """The mean of a batch's log-determinant over draws, its standard error, the exact value."""

    mean: float
    error: float
    exact: float

    @property
    def z(self) -> float:
        """How many standard errors lie between the mean and the exact value."""
        return (self.mean - self.exact) / max(self.error, 1e-9)


def mean_of_draws(bijector, y, gradient=False):
    """200 draws of the training estimate of `inverse_and_log_det(y)`, beside the exact value.

    Args:
      bijector: a map from data to latent with an estimate in training.
      y: `[batch, size]`.
      gradient: also return the z of each number of the gradient of the mean log-determinant.
    """
    variables = list(bijector.trainable_variables) if gradient else []

    def value():
        with tf.GradientTape() as tape:
            log_det = tf.reduce_mean(bijector.inverse_and_log_det(tf.identity(y))[1])
        parts = tape.gradient(log_det, variables, unconnected_gradients="zero")
        return tf.concat([[log_det], *(tf.reshape(part, [-1]) for part in parts)], 0)

    @tf.function
    def draw(number):
        with training_noise(5, number):
            return value()

    exact = value().numpy()
    draws = np.stack([draw(tf.constant(number)) for number in range(DRAWS)])
    mean, error = draws.mean(0), draws.std(0, ddof=1) / np.sqrt(DRAWS)
    result = Mean(float(mean[0]), float(error[0]), float(exact[0]))
    if not gradient:
        return result
    moves = error[1:] > 1e-7  # the others are not estimated
    return result, (mean - exact)[1:][moves] / error[1:][moves]


def _truncated(monkeypatch):
    """The series is cut after its third term, and nothing stands for the rest."""
    series = residual._series

    def biased(jacobian, vectors, terms, survival):
        return series(jacobian, vectors, 3, 1.0)

    monkeypatch.setattr(residual, "_series", biased)


def _without_random_signs(monkeypatch):
    """A vector of ones, whose product is the sum of all entries and not the trace."""
    monkeypatch.setattr(continuous, "rademacher", lambda seed, like: tf.ones_like(like))


ESTIMATORS_BROKEN = {
    "residual": _truncated,
    "continuous": _without_random_signs,
}
