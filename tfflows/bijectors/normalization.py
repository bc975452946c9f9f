"""Scale and shift per dimension, set from data: then trained (ActNorm) or kept (Standardize)."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import compat
from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det

tfb = tfp.bijectors


_LARGEST_LOG_SCALE = 30.0  # at the start: deviations from 1e-13 to 1e13


class _ShiftAndScale(Bijector):
    """`y = x * exp(log_scale) + shift` with a variable for each number of the last axes."""

    _any_batch = True

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
        image, which gives every number its own scale and shift.
      dtype: floating type of the variables.
      name: name of the bijector.

    Reference: Kingma & Dhariwal, Glow, 2018. https://arxiv.org/abs/1807.03039
    """

    def __init__(self, size: int | tuple[int, ...], dtype=tf.float32, name: str = "act_norm"):
        parameters = dict(locals())
        super().__init__(size, dtype, trainable=True, parameters=parameters, name=name)
        self.initialized = tf.Variable(0, dtype=tf.int32, trainable=False, name=f"{name}_init")

    def initialize_from(self, values, inverse: bool = True) -> None:
        """Sets shift and scale so that `values` come out with mean 0 and deviation 1.

        Statistics are computed in float64. A number that is constant in `values`, up to their
        rounding, comes out as 0 and keeps its scale: unseen rows may differ in it, and no finite
        scale is right for them.

        Args:
          values: `[batch, ..., size]`: data, or latents if `inverse` is false.
          inverse: whether to normalise `inverse(values)`, rather than `forward(values)`.
        """
        values = np.asarray(values)
        values = values.reshape(-1, *self._size)
        # A deviation must exceed this to be more than the rounding of the values.
        rounding = np.spacing(np.abs(values).max(axis=0)).astype(np.float64)
        values = values.astype(np.float64)
        mean, std = values.mean(axis=0), values.std(axis=0)
        std = np.where(std > rounding, std, 1.0)
        log_std = np.clip(np.log(std), -_LARGEST_LOG_SCALE, _LARGEST_LOG_SCALE)
        log_scale, shift = (log_std, mean) if inverse else (-log_std, -mean * np.exp(-log_std))
        self.log_scale.assign(tf.cast(log_scale, self.log_scale.dtype))
        self.shift.assign(tf.cast(shift, self.shift.dtype))
        self.initialized.assign(1)


class Standardize(_ShiftAndScale):
    """The data's own mean and standard deviation, kept with the model and never trained.

    Mean and standard deviation are float64, and the mean is subtracted in float64, so a column of
    times near 1.7e9 loses nothing. From data to latents it takes any float dtype and returns
    `dtype`. From latents to data it also returns `dtype`, or float64 if `float32_holds_data` is
    false, that is, if float32 is too coarse for the data that these statistics describe.

    Args:
      size: length of the vector.
      dtype: floating type of the standardised numbers, and of log-determinants.
      name: name of the bijector.
    """

    def __init__(self, size: int, dtype=tf.float32, name: str = "standardize"):
        parameters = dict(locals())
        super().__init__(size, tf.float64, trainable=False, parameters=parameters, name=name)
        self._result_dtype = tf.as_dtype(dtype)

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
        self.shift.assign(mean)
        self.log_scale.assign(np.log(std))

    def standardized(self, rows: np.ndarray) -> np.ndarray:
        """Maps rows `[n, size]` from data to latents in float64, before rounding."""
        return (rows - self.shift.numpy()) * np.exp(-self.log_scale.numpy())

    @property
    def float32_holds_data(self) -> bool:
        """Whether float32 resolves 1e-4 of a deviation four deviations out, in every column."""
        with tf.init_scope():
            mean, std = self.shift.numpy(), np.exp(self.log_scale.numpy())
        with np.errstate(over="ignore", invalid="ignore"):
            spacing = np.spacing((np.abs(mean) + 4.0 * std).astype(np.float32))
        # A column beyond float32 has a spacing of NaN, and fails.
        return bool((spacing.astype(np.float64) <= 1e-4 * std).all())

    @property
    def _data_dtype(self):
        return self._result_dtype if self.float32_holds_data else tf.float64

    def _forward_dtype(self, input_dtype, **kwargs):
        return input_dtype if self.float32_holds_data else tf.float64

    def _inverse_dtype(self, output_dtype, **kwargs):
        return None if output_dtype is None else self._result_dtype

    def _forward_and_log_det(self, x, context):
        y, log_det = super()._forward_and_log_det(tf.cast(x, tf.float64), context)
        return tf.cast(y, self._data_dtype), tf.cast(log_det, self._result_dtype)

    def _inverse_and_log_det(self, y, context):
        x, log_det = super()._inverse_and_log_det(tf.cast(y, tf.float64), context)
        return tf.cast(x, self._result_dtype), tf.cast(log_det, self._result_dtype)


def act_norms(bijector: tfb.Bijector) -> list:
    """Every map in `bijector` that starts from data: `ActNorm`, `Marginals`."""
    return [b for b in (bijector, *bijector.submodules) if hasattr(b, "initialize_from")]


def initialize(bijector: tfb.Bijector, values, event_ndims: int, context=None, inverse=True):
    """Initialises every map that starts from data and is not yet initialised; returns the output.

    Args:
      bijector: any bijector; walks through chains, inverses and `initialize_members`.
      values: `[batch, *event]`, data (latents if `inverse` is false).
      event_ndims: rank of an event.
      context: `[batch, *context_shape]` or `None`.
      inverse: whether `values` go through `inverse`, rather than `forward`.
    """
    if isinstance(bijector, compat.Chain):
        members = bijector.bijectors if inverse else reversed(bijector.bijectors)
        for member in members:
            values = initialize(member, values, event_ndims, context, inverse)
            event_ndims = (
                member.inverse_event_ndims(event_ndims)
                if inverse
                else member.forward_event_ndims(event_ndims)
            )
        return values
    if isinstance(bijector, compat.Invert):
        return initialize(bijector.bijector, values, event_ndims, context, not inverse)
    if hasattr(bijector, "initialize_members"):
        return bijector.initialize_members(values, event_ndims, context, inverse)
    if hasattr(bijector, "initialize_from") and not int(bijector.initialized.numpy()):
        bijector.initialize_from(values, inverse)
    joint = inverse_and_log_det if inverse else forward_and_log_det
    return joint(bijector, values, event_ndims, context)[0]
