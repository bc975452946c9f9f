"""Elementwise maps: from a tensor of parameters to an elementwise bijector.

An elementwise map is a small object; most hold no variables. It states how many parameters each
dimension needs (`parameters`), and turns a tensor `[..., parameters]` into a bijector of events of
rank 0. Zeros give the identity, or a map close to it, so a flow starts near the identity if its
network's last layer starts at zero. `Coupling`, `MaskedAutoregressive` and `Elementwise` accept any
elementwise map.
"""

from __future__ import annotations

import math
from typing import Protocol

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det

tfb = tfp.bijectors


class ElementwiseMap(Protocol):
    """The interface that `Coupling` and `MaskedAutoregressive` need from a map."""

    parameters: int

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., parameters]` into a bijector of events of rank 0, batch `[...]`."""


def each_parameter(parameters: tf.Tensor) -> list[tf.Tensor]:
    """Splits `[..., parameters]` into one tensor `[...]` per parameter."""
    if parameters.shape.rank == 1:
        return tf.unstack(parameters)
    # `Coupling` and `MaskedAutoregressive` pass the transpose of an array that stores one parameter
    # of all numbers together. Transposed back, it is read row by row.
    return tf.unstack(tf.linalg.matrix_transpose(parameters), axis=-2)


def bounded(raw: tf.Tensor, bound: float) -> tf.Tensor:
    """`bound * tanh(raw / bound)`: the identity near zero, never beyond `bound`."""
    return bound * tf.tanh(raw / bound)


def check_bound(bound: float) -> float:
    """`bound`, or a ValueError if it is not positive and finite."""
    if not 0.0 < bound < math.inf:
        raise ValueError(f"bound: expected a positive number, got {bound}")
    return bound


class ShiftAndLogScale(Bijector):
    """`y = x * exp(log_scale) + shift`, elementwise.

    Args:
      shift: tensor that broadcasts against the event and its batch.
      log_scale: the same, or `None` for a shift alone.
      scale: `exp(log_scale)`, if there is a cheaper way to compute it.
      name: name of the bijector.
    """

    def __init__(self, shift, log_scale=None, scale=None, name: str = "shift_and_log_scale"):
        parameters = dict(locals())
        super().__init__(parameters=parameters, name=name)
        self.shift, self.log_scale, self.scale = shift, log_scale, scale

    def _forward_and_log_det(self, x, context):
        if self.log_scale is None:
            return x + self.shift, tf.zeros_like(x)
        scale = tf.exp(self.log_scale) if self.scale is None else self.scale
        return x * scale + self.shift, tf.zeros_like(x) + self.log_scale

    def _inverse_and_log_det(self, y, context):
        if self.log_scale is None:
            return y - self.shift, tf.zeros_like(y)
        inverse = tf.exp(-self.log_scale) if self.scale is None else 1.0 / self.scale
        return (y - self.shift) * inverse, tf.zeros_like(y) - self.log_scale


class Additive:
    """`y = x + shift`, one parameter per dimension.

    Reference: Dinh, Krueger & Bengio, NICE, 2014. https://arxiv.org/abs/1410.8516
    """

    parameters = 1

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 1]` into a shift."""
        return ShiftAndLogScale(parameters[..., 0])


class Affine:
    """`y = x * exp(s) + shift` with `s` bounded, two parameters per dimension.

    Args:
      bound: the log-scale stays within +-bound.

    Reference: Dinh, Sohl-Dickstein & Bengio, Real NVP, 2016. https://arxiv.org/abs/1605.08803
    """

    parameters = 2

    def __init__(self, bound: float = 5.0):
        self.bound = check_bound(bound)

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 2]` (shift, raw log-scale) into a shift and scale."""
        shift, raw = each_parameter(parameters)
        return ShiftAndLogScale(shift, bounded(raw, self.bound))


class SigmoidAffine:
    """`y = x / s + shift` with `s` between 0 and 1, two parameters per dimension.

    It contracts from data to latent, so even a long stack of them does not blow up inputs that a
    network has not seen; what follows has to normalise. `s` is the logistic function of the raw
    parameter plus 2, and at least about 0.0025.

    Reference: Kingma & Dhariwal, Glow, 2018 (its code). https://arxiv.org/abs/1807.03039
    """

    parameters = 2

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 2]` (shift, raw scale) into a shift and scale."""
        shift, raw = each_parameter(parameters)
        logit = -2.0 - bounded(raw, 8.0)
        # Not exp(softplus): sampling does not use the log-det, so it can skip the softplus.
        return ShiftAndLogScale(shift, tf.nn.softplus(logit), scale=1.0 + tf.exp(logit))


class Scale:
    """`y = x * exp(s)` with `s` bounded, one parameter per dimension.

    Args:
      bound: the log-scale stays within +-bound.

    Reference: Dinh, Krueger & Bengio, NICE, 2014 (section 3.3). https://arxiv.org/abs/1410.8516
    """

    parameters = 1

    def __init__(self, bound: float = 20.0):
        self.bound = check_bound(bound)

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 1]` into a scale."""
        raw = parameters[..., 0]
        return ShiftAndLogScale(tf.zeros_like(raw), bounded(raw, self.bound))


class Elementwise(Bijector):
    """An elementwise map on its own: its parameters are variables, one set per dimension.

    Acts on vectors of `size` numbers.

    Args:
      map: an elementwise map.
      size: length of the vector.
      dtype: floating type of the variables.
      name: name of the bijector.
    """

    def __init__(self, map: ElementwiseMap, size: int, dtype=tf.float32, name: str = "elementwise"):
        parameters = dict(locals())
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self.map, self._size = map, size
        self.raw = tf.Variable(tf.zeros([size, map.parameters], dtype), name=f"{name}_parameters")

    def _forward_and_log_det(self, x, context):
        return forward_and_log_det(self.map(tf.convert_to_tensor(self.raw)), x, 1)

    def _inverse_and_log_det(self, y, context):
        return inverse_and_log_det(self.map(tf.convert_to_tensor(self.raw)), y, 1)
