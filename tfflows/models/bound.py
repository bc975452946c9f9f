"""A bound on the log-probability, averaged over K draws of noise that each row keys."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

import tensorflow as tf

from tfflows.checks import whole_number
from tfflows.random import next_noise_seed, uniform_rows


class KDrawBound:
    """Mixin for models whose `log_prob` averages over draws of noise.

    In training the noise is fresh. Otherwise it depends only on a key, which is a hash of the row
    itself, and on the number of the draw. So the bound is a function of the row alone, and the
    errors of different rows are independent.

    Reference: Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, 2015.
    https://arxiv.org/abs/1509.00519
    """

    _samples = 1
    _first = 0  # number of the first draw

    @property
    def samples(self) -> int:
        """Number of noise draws in one bound, K."""
        return self._samples

    @samples.setter
    def samples(self, value: int) -> None:
        if isinstance(value, bool) or tf.is_tensor(value):
            raise ValueError(f"samples: expected a Python int, got {value!r}")
        self._samples = whole_number("samples", value, 1)
        self._forget()

    @contextlib.contextmanager
    def other_draws(self) -> Iterator[None]:
        """Bounds within it use other draws of noise, independent of the usual ones."""
        self._first = self.samples
        self._forget()
        try:
            yield
        finally:
            self._first = 0
            self._forget()

    def _forget(self) -> None:
        # The model's own traced functions and Keras's still hold the old numbers.
        self.__dict__.pop("_functions", None)
        self.predict_function = self.test_function = None

    def bound(self, values, key: Callable, weight: Callable) -> tf.Tensor:
        """`log mean_k exp(weight(draw_k))`, `[batch]`, nats, as a graph function.

        Args:
          values: `[batch, *event]`; the noise has this shape.
          key: function that returns the rows' keys, `int64 [batch]`; not called in training.
          weight: function that takes `draw` and returns a log-weight `[batch]`. `draw` is a
            function that returns noise of that shape: uniform on (0, 1), or mapped through a
            quantile function if it is given one.
        """
        seed = next_noise_seed()
        if seed is not None:
            return weight(fresh_noise(values, seed))
        key = key()
        if self.samples == 1:
            return weight(keyed_noise(values, key, self._first))
        weights = tf.map_fn(
            lambda number: weight(keyed_noise(values, key, number)),
            self._first + tf.range(self.samples),
            fn_output_signature=tf.float32,
            parallel_iterations=1,
        )
        return tf.reduce_logsumexp(weights, axis=0) - math.log(self.samples)


def keyed_noise(values, key, number=0) -> Callable:
    """Noise of the shape of `values`, which depends on each row's key and the draw's number.

    Returns:
      A function that returns the noise: uniform on (0, 1), or mapped through a quantile function
      if it is given one.
    """
    seed = tf.stack([key, tf.fill(tf.shape(key), tf.cast(number, tf.int64))], 1)

    def draw(quantile=None):
        u = uniform_rows(seed, math.prod(values.shape[1:]))
        return tf.reshape(u if quantile is None else quantile(u), tf.shape(values))

    return draw


def fresh_noise(values, seed) -> Callable:
    """Like `keyed_noise`, but for a training step, and normal for any quantile function."""

    def draw(quantile=None):
        # Philox is named because the default algorithm may change under XLA.
        function = tf.random.stateless_uniform if quantile is None else tf.random.stateless_normal
        return function(tf.shape(values), seed, alg="philox")

    return draw
