"""The bound on a log-probability over K draws of noise, keyed by each row."""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

from tfflows.checks import whole_number
from tfflows.random import next_noise_seed, uniform_rows


class KDrawBound:
    """What models share whose `log_prob` is a mean over draws of noise.

    In training the noise is fresh. Otherwise it is a function of a key that is a hash of the row
    itself and of the number of the draw: so the bound is a function of the row alone, and the
    errors of different rows are independent.

    Reference: Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, 2015.
    https://arxiv.org/abs/1509.00519
    """

    _samples = 1

    @property
    def samples(self) -> int:
        """Draws of the noise in one bound, K."""
        return self._samples

    @samples.setter
    def samples(self, value: int) -> None:
        if isinstance(value, bool) or tf.is_tensor(value):
            raise ValueError(f"samples: expected a Python int, got {value!r}")
        self._samples = whole_number("samples", value, 1)
        # Traced with the old number: the model's own functions, and Keras's.
        self.__dict__.pop("_functions", None)
        self.predict_function = self.test_function = None

    def bound(self, values, key: Callable, weight: Callable) -> tf.Tensor:
        """`log mean_k exp(weight(draw_k))`, `[batch]`, nats, as a graph function.

        Args:
          values: `[batch, *event]`: noise is of this shape.
          key: gives the rows' keys, `int64 [batch]`; not called in training.
          weight: from `draw`, a function that gives noise of that shape, uniform on (0, 1) or
            through the quantile function it is given, to a log-weight `[batch]`.
        """
        seed = next_noise_seed()
        if seed is not None:
            return weight(fresh_noise(values, seed))
        key = key()
        if self.samples == 1:
            return weight(keyed_noise(values, key))
        weights = tf.map_fn(
            lambda number: weight(keyed_noise(values, key, number)),
            tf.range(self.samples),
            fn_output_signature=tf.float32,
            parallel_iterations=1,
        )
        return tf.reduce_logsumexp(weights, axis=0) - math.log(self.samples)


def keyed_noise(values, key, number=0) -> Callable:
    """Noise of the shape of `values`, a function of each row's key and of the number of the draw.

    Returns:
      A function that gives it: uniform on (0, 1), or through the quantile function it is given.
    """
    seed = tf.stack([key, tf.fill(tf.shape(key), tf.cast(number, tf.int64))], 1)

    def draw(quantile=None):
        u = uniform_rows(seed, math.prod(values.shape[1:]))
        return tf.reshape(u if quantile is None else quantile(u), tf.shape(values))

    return draw


def fresh_noise(values, seed) -> Callable:
    """As `keyed_noise`, a function of the training step."""

    def draw(quantile=None):
        # Philox is named because the default algorithm may change under XLA.
        function = tf.random.stateless_uniform if quantile is None else tf.random.stateless_normal
        return function(tf.shape(values), seed, alg="philox")

    return draw
