"""Integer flows: a shift that is rounded, within a range of integers."""

from __future__ import annotations

import tensorflow as tf

from tfflows.bijectors.base import Bijector
from tfflows.rounding import nearest, straight_through


class RoundedShift(Bijector):
    """`y = x + round(shift)`, elementwise, for integers `-levels / 2 <= x < levels / 2`.

    A number that leaves the range at one end enters at the other, so the map is a bijection of the
    range.
    The gradient passes through the rounding as if it were the identity.

    Args:
      shift: tensor that broadcasts against the event and its batch.
      levels: the number of integers in the range.
      name: name of the bijector.
    """

    def __init__(self, shift, levels: int, name: str = "rounded_shift"):
        parameters = dict(locals())
        super().__init__(parameters=parameters, name=name)
        # Less than one turn, exactly: a sum with a huge number would lose the integer.
        rounded = nearest(shift)
        turned = tf.math.floormod(tf.stop_gradient(rounded), float(levels))
        self.shift, self.levels = straight_through(rounded, turned), levels

    def _in_range(self, value):
        turns = tf.floor((value + float(self.levels // 2)) / float(self.levels))
        return value - tf.stop_gradient(turns * float(self.levels))

    def _forward_and_log_det(self, x, context):
        return self._in_range(x + self.shift), tf.zeros_like(x)

    def _inverse_and_log_det(self, y, context):
        return self._in_range(y - self.shift), tf.zeros_like(y)


class IntegerAdditive:
    """`y = x + round(scale * shift)` within a range of integers, one parameter per dimension.

    An elementwise map for `Coupling` and its like. Integers are centred, `-levels / 2` to
    `levels / 2 - 1`, and held in float32. A number that leaves the range at one end enters at the
    other. `scale` is a power of two near an eighth of the range, so that networks with outputs
    around 1 reach all of it.

    Args:
      levels: the number of integers in the range, at most 2**16.

    Reference: Hoogeboom, Peters, van den Berg & Welling, Integer Discrete Flows and Lossless
    Compression, 2019. https://arxiv.org/abs/1905.07376
    """

    parameters = 1

    def __init__(self, levels: int):
        if not 2 <= levels <= 2**16:
            raise ValueError(f"levels: expected 2 to {2**16}, got {levels}")
        self.levels = levels
        self.scale = 2.0 ** max((levels - 1).bit_length() - 3, 0)

    def __call__(self, parameters: tf.Tensor) -> RoundedShift:
        """Turns `[..., 1]` into a rounded shift."""
        return RoundedShift(parameters[..., 0] * self.scale, self.levels)
