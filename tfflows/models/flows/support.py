"""Where a TFP bijector is not defined, which it signals by NaN."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import compat
from tfflows.bijectors import base as joint
from tfflows.tracking import keras_layers, raw_variables

tfb = tfp.bijectors

_DEFINED_EVERYWHERE = (
    compat.Chain,
    tfb.Permute,
    tfb.Identity,
    tfb.Reshape,
    tfb.Transpose,
    tfb.Shift,
)


def inverse_and_log_det(bijector: tfb.Bijector, y, event_ndims: int, context=None):
    """`(x, log|det dx/dy|)` of any bijector, and the rows at which it is not defined.

    The project's bijectors have a log-determinant of -inf outside of their domain, and NaN from
    them is a failure. TFP's bijectors can only return NaN there: `tfb.Exp` has no inverse of -1.
    So if a TFP bijector turns numbers into NaN, we take them to be outside of its domain, unless
    the bijector holds a Keras network, takes a context or has a variable that is NaN.

    Args:
      bijector: any TFP bijector.
      y: `[batch, *event]`.
      event_ndims: rank of the event.
      context: `[batch, *context_shape]` or `None`.

    Returns:
      Value, log-determinant, and `bool` `[batch]` or False.
    """
    if not _may_be_undefined(bijector):
        return *joint.inverse_and_log_det(bijector, y, event_ndims, context), False
    if isinstance(bijector, compat.Chain):
        total, undefined = 0.0, False
        for member in bijector.bijectors:
            y, log_det, there = inverse_and_log_det(member, y, event_ndims, context)
            total, undefined = total + log_det, undefined | there
            event_ndims = member.inverse_event_ndims(event_ndims)
        return y, total, undefined
    x, log_det = joint.inverse_and_log_det(bijector, y, event_ndims, context)
    # At the edge of its domain `tfb.Exp` gives an infinite latent and log-determinant.
    endless = tf.reduce_any(tf.math.is_inf(x), axis=list(range(1, x.shape.rank)))
    undefined = (_not_numbers(x) | endless | tf.math.is_nan(log_det)) & ~_not_numbers(y)
    for variable in raw_variables(bijector):
        if variable.dtype.is_floating:
            undefined &= ~tf.reduce_any(tf.math.is_nan(variable))
    return x, log_det, undefined


def _may_be_undefined(bijector) -> bool:
    if isinstance(bijector, compat.Chain):
        return any(_may_be_undefined(member) for member in bijector.bijectors)
    if joint.context_shape(bijector) is not None or keras_layers(bijector):
        return False
    return any(
        not isinstance(b, (joint.Bijector, *_DEFINED_EVERYWHERE))
        for b in (bijector, *bijector.submodules)
        if isinstance(b, tfb.Bijector)
    )


def _not_numbers(value):
    """Which rows hold NaN, `[batch]`."""
    return tf.reduce_any(tf.math.is_nan(value), axis=list(range(1, value.shape.rank)))
