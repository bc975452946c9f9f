"""Scale and shift by dimension, set from data: once (ActNorm) or for good (Standardize)."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability.python.bijectors.chain import _Chain
from tensorflow_probability.python.bijectors.invert import _Invert

from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det

tfb = tfp.bijectors


class _ShiftAndScale(Bijector):
    """`y = x * exp(log_scale) + shift` with a variable for each number of the last axes."""

    def __init__(self, size, dtype, trainable, parameters, name):
        shape = tuple(size) if isinstance(size, tuple | list) else (int(size),)
        self._rank = len(shape)
        super().__init__(forward_min_event_ndims=self._rank, parameters=parameters, name=name)
        self._size = shape
        zeros = tf.zeros(shape, dtype)
        self.shift = tf.Variable(zeros, trainable=trainable, name=f"{name}_shift")
        self.log_scale = tf.Variable(zeros, trainable=trainable, name=f"{name}_log_scale")

    def _forward_and_log_det(self, x, context):
        y = x * tf.exp(self.log_scale) + self.shift
        return y, tf.reduce_sum(self.log_scale) + self._zeros(x)

    def _inverse_and_log_det(self, y, context):
        x = (y - self.shift) * tf.exp(-self.log_scale)
        return x, self._zeros(y) - tf.reduce_sum(self.log_scale)

    def _zeros(self, value):
        return tf.zeros(tf.shape(value)[: -self._rank], value.dtype)


class ActNorm(_ShiftAndScale):
    """Activation normalisation: a trained scale and shift that start from the data.

    Until `initialize_from` is called (a `Flow` calls it once, before training) the map is the
    identity and `initialized` is false.

    Args:
      size: length of the vector (of the last axis of an image); or the shape `(H, W, C)` of an
        image, for a scale and shift of every number of its own.
      dtype: floating type of the variables.
      name: name of the bijector.

    Reference: Kingma & Dhariwal, Glow, 2018. https://arxiv.org/abs/1807.03039
    """

    def __init__(self, size: int | tuple[int, ...], dtype=tf.float32, name: str = "act_norm"):
        parameters = dict(locals())
        super().__init__(size, dtype, trainable=True, parameters=parameters, name=name)
        self.initialized = tf.Variable(0, dtype=tf.int32, trainable=False, name=f"{name}_init")

    def initialize_from(self, values, inverse: bool = True) -> None:
        """Sets shift and scale so that `values` come out with mean 0 and variance 1.

        Args:
          values: `[batch, ..., size]`: data, or latents where `inverse` is false.
          inverse: whether it is `inverse(values)` that is to be normalised, or `forward(values)`.
        """
        mean, variance = tf.nn.moments(values, axes=list(range(values.shape.rank - self._rank)))
        log_std = 0.5 * tf.math.log(variance + 1e-6)
        self.log_scale.assign(log_std if inverse else -log_std)
        self.shift.assign(mean if inverse else -mean * tf.exp(-log_std))
        self.initialized.assign(1)


class Standardize(_ShiftAndScale):
    """The data's own mean and standard deviation, kept with the model and never trained.

    Args:
      size: length of the vector.
      dtype: floating type of the variables.
      name: name of the bijector.
    """

    def __init__(self, size: int, dtype=tf.float32, name: str = "standardize"):
        parameters = dict(locals())
        super().__init__(size, dtype, trainable=False, parameters=parameters, name=name)

    def set_statistics(self, mean, std) -> None:
        """Sets mean and standard deviation, each `[size]`.

        Raises:
          ValueError: for another shape, numbers that are not finite, or a deviation of 0.
        """
        mean, std = np.asarray(mean, np.float64), np.asarray(std, np.float64)
        size = self.shift.shape[0]
        for name, value in (("mean", mean), ("std", std)):
            if value.shape != (size,) or not np.isfinite(value).all():
                raise ValueError(f"{name}: expected {size} finite numbers, got {value.tolist()}")
        if (std <= 0).any():
            raise ValueError(f"std: expected positive numbers, got {std.tolist()}")
        self.shift.assign(tf.constant(mean, self.shift.dtype))
        self.log_scale.assign(tf.constant(np.log(std), self.log_scale.dtype))


def act_norms(bijector: tfb.Bijector) -> list:
    """Every map in `bijector` that starts from data: `ActNorm`, `Marginals`."""
    return [b for b in (bijector, *bijector.submodules) if hasattr(b, "initialize_from")]


def initialize(bijector: tfb.Bijector, values, event_ndims: int, context=None, inverse=True):
    """Initialises every map that starts from data and has not been; returns the output.

    Args:
      bijector: any bijector; chains, inverses and what has `initialize_members` are walked.
      values: `[batch, *event]`, data (latents where `inverse` is false).
      event_ndims: rank of an event.
      context: `[batch, *context_shape]` or `None`.
      inverse: which direction `values` go through.
    """
    if isinstance(bijector, _Chain):
        members = bijector.bijectors if inverse else reversed(bijector.bijectors)
        for member in members:
            values = initialize(member, values, event_ndims, context, inverse)
            event_ndims = (
                member.inverse_event_ndims(event_ndims)
                if inverse
                else member.forward_event_ndims(event_ndims)
            )
        return values
    if isinstance(bijector, _Invert):
        return initialize(bijector.bijector, values, event_ndims, context, not inverse)
    if hasattr(bijector, "initialize_members"):
        return bijector.initialize_members(values, event_ndims, context, inverse)
    if hasattr(bijector, "initialize_from") and not int(bijector.initialized.numpy()):
        bijector.initialize_from(values, inverse)
    joint = inverse_and_log_det if inverse else forward_and_log_det
    return joint(bijector, values, event_ndims, context)[0]
