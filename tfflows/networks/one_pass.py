"""Generation by a masked network for about the cost of one pass.

A hidden unit of degree d is final once the first d numbers are known, so no part of a network has
to be computed twice. Numbers without a hidden unit between them are decided together, in one step,
and several steps make a block. When a block begins, each layer multiplies everything that is final
in one matrix product. Within the block, its own numbers and units form a network of a few units,
which is evaluated again after each step. Arrays are feature-major, `[units, batch]`, so that the
units of a block are contiguous.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True, eq=False)
class BlockedLayer:
    """A masked linear layer.

    Attributes:
      kernel: `[outputs, inputs]`, masked; in the last layer, the first parameters of all numbers
        come first.
      bias: `[outputs, 1]` or `[outputs, batch]`.
      degrees: `(inputs, outputs)`: how many of the network's numbers each unit depends on. The
        degrees of hidden units are sorted; those of outputs are repeated for each parameter of a
        number.
    """

    kernel: tf.Tensor
    bias: tf.Tensor
    degrees: tuple[np.ndarray, np.ndarray]


def block_length(steps: int) -> int:
    """Steps in a block; a longer block means more work within blocks and less between them."""
    return min(steps, max(4, round(0.3 * math.sqrt(steps))))


class _Blocks:
    """Units sorted into `count` blocks by the step that decides them, padded to one length."""

    def __init__(self, steps: np.ndarray, length: int, count: int):
        members = [np.flatnonzero(steps // length == k) for k in range(count)]
        absent = len(steps)
        longest = max(len(m) for m in members)
        self.units = np.stack(
            [np.pad(m, (0, longest - len(m)), constant_values=absent) for m in members]
        )
        self.real, self.count = self.units != absent, absent

    @property
    def length(self) -> int:
        """Units in a block."""
        return self.units.shape[1]

    def repeated(self, features: int) -> _Blocks:
        """The same blocks, where each unit is a group of `features` units."""
        if features == 1:
            return self
        result, absent = copy.copy(self), features * self.count
        units = features * self.units[..., np.newaxis] + np.arange(features)
        units = np.where(self.real[..., np.newaxis], units, absent)
        result.units = units.reshape(len(units), -1)
        result.real, result.count = result.units != absent, absent
        return result

    def gather(self, value: tf.Tensor, axis: int = 0, padding: float = 0.0) -> tf.Tensor:
        """`[..., units, ...]` as `[..., count * length, ...]`."""
        if self.real.all():
            return value
        paddings = [[0, int(i == axis)] for i in range(value.shape.rank)]
        value = tf.pad(value, paddings, constant_values=padding)
        return tf.gather(value, self.units.reshape(-1), axis=axis)

    def scatter(self, value: tf.Tensor) -> tf.Tensor:
        """The inverse of `gather`, along the first axis."""
        return tf.gather(value, np.flatnonzero(self.real)) if not self.real.all() else value


def generate(
    layers: list[BlockedLayer],
    hidden: Callable,
    choose: Callable,
    x: tf.Tensor,
    encode: Callable | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decides `y` number by number: `y_d = choose(parameters_d(y_{<d}), x_d)`.

    Args:
      layers: the linear layers of a masked network, the last from hidden units to parameters.
      hidden: `hidden(y, dense)`: the last hidden layer; `dense(index, value)` applies a layer.
      choose: function from `(parameters [..., params], x [...])` to values and log-determinants,
        `[...]` each.
      x: `[batch, size]`.
      encode: function from numbers `[n, batch]` to what the first layer sees of each, `[n,
        features, batch]`; by default the numbers themselves.

    Returns:
      `y` `[batch, size]` and the sum of the log-determinants, `[batch]`.
    """
    size = x.shape[-1]
    dtype = layers[0].kernel.dtype
    batch = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
    params = layers[-1].kernel.shape[0] // size
    features = layers[0].kernel.shape[1] // size
    # The step that decides number d, and with it the units of degree d. One step comes before it
    # for each distinct degree below d in the last hidden layer, because number d sees other numbers
    # only through those units.
    stops = np.unique(np.maximum(layers[-1].degrees[0], 0))
    step_of = np.searchsorted(stops[stops > 0], np.arange(size + 1))
    steps = int(step_of[size]) + 1
    length = block_length(steps)
    count = -(-steps // length)

    # All steps are padded to the same count of numbers, and so are all blocks.
    numbers = _Blocks(step_of[1:], 1, count * length)
    width = numbers.length
    numbers.units = numbers.units.reshape(count, length * width)
    numbers.real = numbers.real.reshape(count, length * width)
    units = [_Blocks(step_of[layer.degrees[0]], length, count) for layer in layers[1:]]
    inputs, outputs = [numbers.repeated(features), *units], [*units, numbers]
    kernels, biases = [], []
    for layer, into, out in zip(layers, inputs, outputs, strict=True):
        kernel, bias = into.gather(layer.kernel, axis=1), layer.bias
        if layer is layers[-1]:  # the parameters of a number go together
            kernel, bias = (
                tf.transpose(tf.reshape(v, [params, size, tf.shape(v)[1]]), [1, 0, 2])
                for v in (kernel, bias)
            )
        kernel, bias = out.gather(kernel), out.gather(bias)
        kernels.append(tf.reshape(kernel, [count, -1, count * into.length]))
        biases.append(tf.reshape(bias, [count, kernels[-1].shape[1], tf.shape(bias)[-1]]))
    # The padding value lies inside the support of every bijector.
    x = tf.reshape(numbers.gather(tf.transpose(x), padding=0.5), [count, length, width, batch])
    real = tf.constant(numbers.real.reshape([count, length, width, 1]))

    def block(k, known, log_det, numbers_so_far):
        """Decides the numbers of block `k`; `known[i]` holds the inputs of layer i so far."""
        rows = [tf.gather(kernel, k) for kernel in kernels]
        before = [
            tf.matmul(row, tf.reshape(value, [-1, batch])) + tf.gather(bias, k)
            for row, value, bias in zip(rows, known, biases, strict=True)
        ]
        within = [
            tf.slice(row, [0, k * into.length], [-1, into.length])
            for row, into in zip(rows, inputs, strict=True)
        ]
        fed = {}

        def dense(index, value):
            fed[index] = value
            return before[index] + tf.matmul(within[index], value)

        # Each step takes one product and one `choose`, for its own parameters only.
        fixed, kernel = (tf.split(value[-1], length) for value in (before, within))
        given = tf.unstack(tf.gather(x, k))
        seen = [tf.zeros([width * features, batch], dtype)] * length
        decided, terms = [], []
        for i in range(length):
            parameters = fixed[i] + tf.matmul(kernel[i], hidden(tf.concat(seen, 0), dense))
            parameters = tf.transpose(tf.reshape(parameters, [width, params, batch]), [0, 2, 1])
            value, term = choose(tf.cast(parameters, x.dtype), given[i])
            decided.append(tf.cast(value, dtype))
            seen[i] = decided[i]
            if encode is not None:
                seen[i] = tf.reshape(encode(decided[i]), [width * features, batch])
            terms.append(term)
        fed[len(layers) - 1] = hidden(tf.concat(seen, 0), dense)
        terms = tf.where(tf.gather(real, k), tf.stack(terms), 0)
        log_det += tf.reduce_sum(terms, axis=[0, 1])
        here = tf.reshape(tf.range(count) == k, [count, 1, 1])
        known = [tf.where(here, fed[i], value) for i, value in enumerate(known)]
        if encode is not None:
            numbers_so_far = tf.where(here, tf.concat(decided, 0), numbers_so_far)
        return k + 1, known, log_det, numbers_so_far

    known = [tf.zeros([count, into.length, batch], dtype) for into in inputs]
    # Numbers that are inputs of the first layer themselves are in `known`.
    rows = 0 if encode is None else length * width
    state = (
        tf.constant(0),
        known,
        tf.zeros([batch], x.dtype),
        tf.zeros([count, rows, batch], dtype),
    )
    if count == 1:
        state = block(*state)
    else:
        state = tf.while_loop(
            lambda k, *_: k < count, block, state, maximum_iterations=count, parallel_iterations=1
        )
    y = state[1][0] if encode is None else state[3]
    y = numbers.scatter(tf.reshape(y, [count * length * width, batch]))
    return tf.cast(tf.ensure_shape(tf.transpose(y), [None, size]), x.dtype), state[2]
