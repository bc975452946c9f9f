"""Numbered random draws, and the keys of training noise.

Here row `i` of a sample must be a function of (key, draw number) alone, on any device and in any
batch. TensorFlow's stateless generators cannot ensure this: they may pick a different algorithm
under XLA than in a graph, and they do not accept a seed for each row of a batch. So the base draws
come from Threefry-2x32 with 20 rounds, written in `uint32` arithmetic.

Reference: Salmon, Moraes, Dror & Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.
https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable

import numpy as np
import tensorflow as tf

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_LONG = 1024


def _rotate_left(x: tf.Tensor, bits: int) -> tf.Tensor:
    # Product and sum give the same as shift and "or"; TensorFlow's are several times as fast.
    left = x * tf.constant(2**bits, tf.uint32)
    return left + tf.bitwise.right_shift(x, tf.constant(32 - bits, tf.uint32))


def threefry(key: tuple, counter: tuple) -> tuple[tf.Tensor, tf.Tensor]:
    """Threefry-2x32-20: two `uint32` words from a key and a counter of two words each.

    Args:
      key: pair of `uint32` tensors.
      counter: pair of `uint32` tensors; all four broadcast against each other.

    Returns:
      A pair of `uint32` tensors of the broadcast shape.
    """
    k0, k1 = key
    parity = tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(k0, k1), tf.constant(_PARITY, tf.uint32))
    schedule = (k0, k1, parity)
    x0, x1 = counter[0] + k0, counter[1] + k1
    for group in range(5):
        for bits in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = tf.bitwise.bitwise_xor(_rotate_left(x1, bits), x0)
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + schedule[(group + 2) % 3] + tf.constant(group + 1, tf.uint32)
    return x0, x1


def _words(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits int64 into its low and high 32-bit words."""
    pair = tf.bitcast(tf.cast(x, tf.int64), tf.uint32)
    return pair[..., 0], pair[..., 1]


def uniform_rows(seed: tf.Tensor, size: int) -> tf.Tensor:
    """Uniform draws, one row for each seed; a row depends on its own seed alone.

    Args:
      seed: `int64` `[batch, 2]`: key and draw number.
      size: numbers in a row.

    Returns:
      `float32` `[batch, size]`, strictly between 0 and 1, on a grid of 2**-24.
    """
    pairs = _word_pairs(_row_key(seed), size)
    bits = [_interleaved(*pair, pair[0].shape[1]) for pair in pairs]
    bits = tf.concat(bits, axis=1)[:, :size]
    # 23 bits and a half step: every value is exact in float32 and none is 0 or 1.
    high = tf.bitwise.right_shift(bits, tf.constant(9, tf.uint32))
    return (tf.cast(tf.bitcast(high, tf.int32), tf.float32) + 0.5) * 2.0**-23


def tail_rows(seed: tf.Tensor, size: int, through: Callable | None = None):
    """Uniform draws of 48 bits, each as its distance from the nearer of 0 and 1.

    float32 is fine near 0 and coarse near 1. Storing the distance makes the two tails of a base
    distribution equally fine. Each row depends on its own seed alone.

    Args:
      seed: `int64` `[batch, 2]`: key and draw number.
      size: numbers in a row.
      through: an elementwise function of the three tensors below; its value is then returned in
        their place. XLA would recompute the bits for each of the three tensors, so a quantile
        function passed here costs a fraction of one applied to them afterwards.

    Returns:
      `v`, `float32` `[batch, size]`, above 0 and at most 1/2; `upper`, `bool`: the draw is `1 - v`
      if it is true, and `v` if not; and `rest`, `float32`, at most 2**-26: the part of `v` lost to
      rounding near 1/2. A distribution centred on 0 has finer numbers there than float32 has.
    """
    through = (lambda *parts: parts) if through is None else through
    columns = []
    for first, second in _word_pairs(_row_key(seed), size):
        pair = [through(*_tail(first, second)), through(*_tail(second, first))]
        width = first.shape[1]  # the result of `through` may not know it
        columns.append(tf.nest.map_structure(lambda a, b, n=width: _interleaved(a, b, n), *pair))
    return tf.nest.map_structure(lambda *parts: tf.concat(parts, 1)[:, :size], *columns)


def _tail(bits, other):
    """`v`, `upper` and `rest` of one number, from 32 bits of its own and 16 of its neighbour's."""
    # The bits that two neighbours share lie beyond the 32nd binary digit of either.
    more = tf.bitwise.right_shift(
        other * tf.constant(0x9E3779B9, tf.uint32), tf.constant(16, tf.uint32)
    )
    bits, more = tf.bitcast(bits, tf.int32), tf.bitcast(more, tf.int32)
    upper = bits < 0
    # 1 minus the number, by flipping every bit.
    bits = tf.where(upper, -1 - bits, bits)
    more = tf.where(upper, 0xFFFF - more, more)
    v = _fraction(bits, more)
    to_middle = _fraction(0x7FFFFFFF - bits, 0xFFFF - more)  # 1/2 - v, fine near 0
    rest = tf.where(v >= 0.25, (0.5 - v) - to_middle, tf.zeros_like(v))
    return v, upper, rest


def _fraction(high, low):
    return tf.cast(high, tf.float32) * 2.0**-32 + (tf.cast(low, tf.float32) + 0.5) * 2.0**-48


def from_tails(v: tf.Tensor, upper: tf.Tensor, rest=None) -> tf.Tensor:
    """The draws of `tail_rows` as numbers strictly between 0 and 1; there `rest` rounds away."""
    return tf.where(upper, tf.minimum(1.0 - v, 1.0 - 2.0**-24), v)


def pick(cdf: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """The first index at which a cumulative distribution, along the last axis, is above `u`.

    Args:
      cdf: `[..., n]`, up to a factor; a share of zero is never picked.
      u: `[...]`, strictly between 0 and 1.

    Returns:
      `int32` `[...]`.
    """
    shares = cdf[..., :-1] / cdf[..., -1:]
    return tf.reduce_sum(tf.cast(u[..., tf.newaxis] >= shares, tf.int32), axis=-1)


def _row_key(seed):
    row = threefry(_words(seed[:, 0]), _words(seed[:, 1]))
    return row[0][:, tf.newaxis], row[1][:, tf.newaxis]


def _word_pairs(key, size: int) -> list[tuple]:
    """Random words of a row, `uint32` `[batch, n]`, in pairs: one pair for two adjacent numbers."""
    counters = np.arange((size + 1) // 2, dtype=np.uint32)[np.newaxis]
    # Split long rows in two, which TensorFlow computes in parallel.
    parts = np.array_split(counters, 2 if size >= _LONG else 1, axis=1)
    return [threefry(key, (tf.constant(part), tf.zeros_like(part))) for part in parts]


def _interleaved(first, second, n: int):
    """Alternates the columns of two `[batch, n]` tensors: `[batch, 2 n]`."""
    return tf.reshape(tf.stack([first, second], -1), [-1, 2 * n])


# Row keys derive from this number, so that they are the same for everyone.
_ROW_KEY = 0x7466666C


def row_keys(x: tf.Tensor) -> tf.Tensor:
    """A key for each row, a hash of the row's own integers.

    The key is the sum of the integers, each times a random 64-bit number for its position, modulo
    2**64. Two different rows of 8-bit integers have the same key with probability below 2**-56.

    Args:
      x: `[batch, *event]` integers, held in any dtype; `event` is known statically.

    Returns:
      `int64` `[batch]`.

    Reference: Lemire & Kaser, Strongly universal string hashing is fast, 2014.
    https://arxiv.org/abs/1202.4961
    """
    size = math.prod(x.shape[1:])
    flat = tf.cast(tf.reshape(x, [-1, size]), tf.int64)
    # TensorFlow folds the factors into a constant.
    position = tf.cast(tf.range(size + 1), tf.uint32)
    words = threefry((tf.constant(_ROW_KEY, tf.uint32), position), (position, position))
    factors = tf.bitcast(tf.stack(words, -1), tf.int64)
    return factors[0] + tf.reduce_sum(flat * factors[1:], axis=1)


def row_seeds(n, seed=None, start=0) -> tf.Tensor:
    """Seeds of draws `start .. start + n - 1`.

    Args:
      n: number of draws, int or scalar tensor.
      seed: the key, an int or scalar tensor; `None` takes a fresh one each time the code runs
        (from TensorFlow's global generator, which `tf.random.set_seed` makes repeatable).
      start: number of the first draw.

    Returns:
      `int64` `[n, 2]`.
    """
    if seed is None:
        # Drawn at run time, so that a traced function does not repeat its draws.
        seed = tf.random.uniform([], minval=0, maxval=2**62, dtype=tf.int64)
    if not any(tf.is_tensor(value) for value in (n, seed, start)):
        number = np.arange(n) + np.int64(start)
        return tf.constant(np.stack([np.full(n, seed, np.int64), number], axis=1))
    number = tf.cast(start, tf.int64) + tf.range(tf.cast(n, tf.int64))
    return tf.stack([tf.fill(tf.shape(number), tf.cast(seed, tf.int64)), number], axis=1)


class _Scope(threading.local):
    """The noise state of the current thread's training step (each replica has its own thread)."""

    key = None
    calls = 0


_scope = _Scope()


@contextlib.contextmanager
def training_noise(seed, step, replica=0):
    """Context manager that activates stochastic layers, with noise from (seed, step, replica).

    Args:
      seed, step, replica: ints or scalar integer tensors.
    """
    previous = (_scope.key, _scope.calls)
    key = threefry(_words(tf.convert_to_tensor(seed, tf.int64)), _words(tf.cast(step, tf.int64)))
    _scope.key = threefry(key, _words(tf.cast(replica, tf.int64)))
    _scope.calls = 0
    try:
        yield
    finally:
        _scope.key, _scope.calls = previous


@contextlib.contextmanager
def no_training_noise():
    """Context manager that turns stochastic layers off, even in training."""
    previous, _scope.key = _scope.key, None
    try:
        yield
    finally:
        _scope.key = previous


def noise_position() -> tuple:
    """The current position in the noise of this thread's training step, for `noise_from`."""
    return _scope.key, _scope.calls


@contextlib.contextmanager
def noise_from(position: tuple):
    """Context manager in which stochastic layers repeat their noise from a `noise_position()`."""
    previous = noise_position()
    _scope.key, _scope.calls = position
    try:
        yield
    finally:
        _scope.key, _scope.calls = previous


def next_noise_seed() -> tf.Tensor | None:
    """A new `int32` `[2]` seed for one stochastic layer, or `None` outside of training."""
    if _scope.key is None:
        return None
    call = tf.constant(_scope.calls, tf.uint32)
    _scope.calls += 1
    words = threefry(_scope.key, (call, tf.zeros_like(call)))
    return tf.bitcast(tf.stack(words), tf.int32)
