"""Reorderings of an image's numbers: squeeze, checkerboard squeeze, flatten."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector

ORDERINGS = ("depth", "channel")


class _Reordering(Bijector):
    """A map that moves numbers without changing them, defined by two functions of a batch.

    A subclass implements `_spread` and `_gather`, which map `[batch, *event]` from latents to data
    and back, and `_spread_shape` and `_gather_shape`, which do the same for static shapes.
    """

    _ranks = (3, 3)  # of a latent and of a datum

    def __init__(self, parameters, name):
        super().__init__(
            forward_min_event_ndims=self._ranks[0],
            inverse_min_event_ndims=self._ranks[1],
            parameters=parameters,
            name=name,
        )

    def _apply(self, value, function, to_shape, rank):
        """Applies `function` to `value` with any batch flattened to one dimension."""
        batch, event = value.shape[:-rank], value.shape[-rank:].as_list()
        result_event = to_shape(event)
        flat = value if batch.rank == 1 else tf.reshape(value, [-1, *event])
        result = tf.ensure_shape(function(flat), [None, *result_event])
        if batch.rank != 1:
            result = tf.reshape(result, tf.concat([tf.shape(value)[:-rank], result_event], 0))
        result = tf.ensure_shape(result, batch.concatenate(result_event))
        return result, tf.zeros(tf.shape(value)[:-rank], value.dtype)

    def _forward_and_log_det(self, x, context):
        return self._apply(x, self._spread, self._spread_shape, self._ranks[0])

    def _inverse_and_log_det(self, y, context):
        return self._apply(y, self._gather, self._gather_shape, self._ranks[1])

    def _forward_event_shape(self, shape):
        rank = self._ranks[0]
        return shape[:-rank].concatenate(self._spread_shape(shape[-rank:].as_list()))

    def _inverse_event_shape(self, shape):
        rank = self._ranks[1]
        return shape[:-rank].concatenate(self._gather_shape(shape[-rank:].as_list()))

    def _forward_event_shape_tensor(self, shape):
        return self._shape_tensor(shape, self._spread_shape, self._ranks[0])

    def _inverse_event_shape_tensor(self, shape):
        return self._shape_tensor(shape, self._gather_shape, self._ranks[1])

    @staticmethod
    def _shape_tensor(shape, function, rank):
        event = function(np.asarray(tf.get_static_value(shape))[-rank:].tolist())
        return tf.concat([shape[:-rank], tf.constant(event, shape.dtype)], 0)


class Squeeze(_Reordering):
    """Space to depth: data `[H, W, C]` to latents `[H / block, W / block, C block^2]`.

    Args:
      block: side of the squares that become one position.
      ordering: order of the latents' channels: `"depth"` keeps the channels of a pixel together
        (as `tf.nn.space_to_depth`), `"channel"` the pixels of a channel.
      name: name of the bijector.

    Raises:
      ValueError: for another ordering, or in use for sizes that `block` does not divide.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016 (section 3.6).
    https://arxiv.org/abs/1605.08803
    """

    def __init__(self, block: int = 2, ordering: str = "depth", name: str = "squeeze"):
        parameters = dict(locals())
        if ordering not in ORDERINGS:
            raise ValueError(f"ordering: expected depth or channel, got {ordering!r}")
        if block < 1:
            raise ValueError(f"block: expected at least 1, got {block}")
        super().__init__(parameters, name)
        self.block, self.ordering = int(block), ordering

    def _gather_shape(self, shape):
        height, width, channels = shape
        b = self.block
        if height % b or width % b:
            raise ValueError(
                f"event: {self.name} needs a height and width divisible by {b}, got {height} x "
                f"{width}"
            )
        return [height // b, width // b, channels * b * b]

    def _spread_shape(self, shape):
        height, width, channels = shape
        b = self.block
        if channels % (b * b):
            raise ValueError(
                f"event: {self.name} needs a number of channels divisible by {b * b}, got "
                f"{channels}"
            )
        return [height * b, width * b, channels // (b * b)]

    def _gather(self, y):
        height, width, channels = y.shape[1:]
        b = self.block
        y = tf.reshape(y, [-1, height // b, b, width // b, b, channels])
        order = [0, 1, 3, 2, 4, 5] if self.ordering == "depth" else [0, 1, 3, 5, 2, 4]
        y = tf.transpose(y, order)
        return tf.reshape(y, [-1, height // b, width // b, channels * b * b])

    def _spread(self, x):
        height, width, channels = x.shape[1:]
        b = self.block
        if self.ordering == "depth":
            x = tf.reshape(x, [-1, height, width, b, b, channels // (b * b)])
            x = tf.transpose(x, [0, 1, 3, 2, 4, 5])
        else:
            x = tf.reshape(x, [-1, height, width, channels // (b * b), b, b])
            x = tf.transpose(x, [0, 1, 4, 2, 5, 3])
        return tf.reshape(x, [-1, height * b, width * b, channels // (b * b)])


class CheckerboardSqueeze(_Reordering):
    """Data `[H, W, C]` to latents `[H, W / 2, 2 C]`: each colour of a checkerboard in one half.

    The first `C` channels hold the pixels whose row and column add up to an even number, the
    last `C` the others. A coupling over channels is then one over a checkerboard. Its network sees
    each pixel once, whereas a masked coupling's network also sees as many zeros.

    Reference: Ho et al., Flow++, 2019. https://arxiv.org/abs/1902.00275
    """

    def __init__(self, name: str = "checkerboard_squeeze"):
        super().__init__(dict(locals()), name)

    def _gather_shape(self, shape):
        height, width, channels = shape
        if width % 2:
            raise ValueError(f"event: {self.name} needs an even width, got {width}")
        return [height, width // 2, 2 * channels]

    def _spread_shape(self, shape):
        height, width, channels = shape
        if channels % 2:
            raise ValueError(f"event: {self.name} needs an even number of channels, got {channels}")
        return [height, 2 * width, channels // 2]

    @staticmethod
    def _swap_odd_rows(pairs):
        odd = np.arange(pairs.shape[1]) % 2 == 1
        return tf.where(odd[:, None, None, None], tf.reverse(pairs, [3]), pairs)

    def _gather(self, y):
        height, width, channels = y.shape[1:]
        pairs = self._swap_odd_rows(tf.reshape(y, [-1, height, width // 2, 2, channels]))
        return tf.reshape(pairs, [-1, height, width // 2, 2 * channels])

    def _spread(self, x):
        height, width, channels = x.shape[1:]
        pairs = self._swap_odd_rows(tf.reshape(x, [-1, height, width, 2, channels // 2]))
        return tf.reshape(pairs, [-1, height, 2 * width, channels // 2])


class Flatten(_Reordering):
    """Data `[*shape]` to vectors.

    Args:
      shape: shape of a datum.
      name: name of the bijector.
    """

    def __init__(self, shape, name: str = "flatten"):
        self._shape = [int(d) for d in shape]
        self._ranks = (1, len(self._shape))
        super().__init__({"shape": shape, "name": name}, name)

    def _gather_shape(self, shape):
        self._expect(shape, self._shape)
        return [math.prod(self._shape)]

    def _spread_shape(self, shape):
        self._expect(shape, [math.prod(self._shape)])
        return list(self._shape)

    def _expect(self, shape, expected):
        if list(shape) != expected:
            raise ValueError(f"event: {self.name} expects shape {expected}, got {list(shape)}")

    def _gather(self, y):
        return tf.reshape(y, [-1, math.prod(self._shape)])

    def _spread(self, x):
        return tf.reshape(x, [-1, *self._shape])
