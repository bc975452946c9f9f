"""The base class of the project's bijectors: joint methods, context, one pass per map."""

from __future__ import annotations

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import compat

tfb = tfp.bijectors

# Keeps the AutoGraph of a user's `tf.function` from rewriting the maps: they do not need it, and it
# took most of their tracing time.
_as_it_is = tf.autograph.experimental.do_not_convert


class Bijector(tfb.Bijector):
    """A `tfp.bijectors.Bijector` that is defined by its two joint methods.

    A subclass implements

    * `_forward_and_log_det(x, context)`, latent to data, and
    * `_inverse_and_log_det(y, context)`, data to latent,

    for events `[batch, *event]` and contexts `[batch, *context_shape]`. Each returns the value and
    the log absolute determinant of the Jacobian *of that direction*, with the bijector's minimum
    event dimensions summed out. Callers may pass any batch shape, or no batch. The rest of TFP's
    interface is derived from these methods, in one pass: the log-determinant of a value is stored
    in TFP's own cache, where `tfb.Chain`, `tfb.Invert` and `tfd.TransformedDistribution` find it.

    Args:
      forward_min_event_ndims: rank of the smallest event that the map acts on.
      inverse_min_event_ndims: the same for the output; defaults to `forward_min_event_ndims`.
      context_shape: shape of one context, or `None` for a map that takes none.
      dtype: dtype of the event, or `None` for any floating type.
      parameters: the constructor's arguments, as TFP's bijectors keep them.
      name: name of the bijector.
    """

    # Length of the vectors, or shape of the arrays, that the map acts on, if it is fixed.
    _size: int | tuple[int, ...] | None = None

    # Whether the joint methods accept any batch shape, rather than exactly one batch dimension.
    _any_batch = False

    def __init__(
        self,
        forward_min_event_ndims: int = 0,
        inverse_min_event_ndims: int | None = None,
        context_shape: tuple[int, ...] | None = None,
        dtype=None,
        parameters: dict | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(
            forward_min_event_ndims=forward_min_event_ndims,
            inverse_min_event_ndims=(
                forward_min_event_ndims
                if inverse_min_event_ndims is None
                else inverse_min_event_ndims
            ),
            dtype=dtype,
            parameters=parameters,
            name=name,
            **kwargs,
        )
        self._context_shape = None if context_shape is None else tuple(context_shape)

    @property
    def context_shape(self) -> tuple[int, ...] | None:
        """Shape of one context, or `None` if the map takes none."""
        return self._context_shape

    @classmethod
    def _parameter_properties(cls, dtype):
        # The maps have no batch of parameters: one map for all rows.
        return {}

    def _forward_and_log_det(self, x, context):
        raise NotImplementedError(f"{type(self).__name__} has no forward map")

    def _inverse_and_log_det(self, y, context):
        raise NotImplementedError(f"{type(self).__name__} has no inverse map")

    @_as_it_is
    def forward_and_log_det(self, x, context=None):
        """Returns `(y, log|det dy/dx|)` for latents `x`, in one pass."""
        x = tf.convert_to_tensor(x)
        check_context(self, context)
        self._check_size(x)
        ndims = self.forward_min_event_ndims
        return self._in_one_batch(self._forward_and_log_det, x, ndims, context)

    @_as_it_is
    def inverse_and_log_det(self, y, context=None):
        """Returns `(x, log|det dx/dy|)` for data `y`, in one pass."""
        y = tf.convert_to_tensor(y)
        check_context(self, context)
        self._check_size(y)
        ndims = self.inverse_min_event_ndims
        return self._in_one_batch(self._inverse_and_log_det, y, ndims, context)

    def _in_one_batch(self, apply, value, ndims: int, context):
        """Calls `apply` with any batch of events and contexts flattened to one dimension.

        The two batches broadcast, as the parameters of TFP's bijectors do against events.
        """
        if self._any_batch or ndims == 0 or value.shape.rank is None:
            return apply(value, context)
        batch, shapes = _split(value, ndims)
        if context is not None:
            context = tf.convert_to_tensor(context)
            of_context, of_shapes = _split(context, len(self.context_shape))
            if batch.rank == of_context.rank == 1 and _may_be_equal(batch[0], of_context[0]):
                return apply(value, context)
            batch = tf.broadcast_static_shape(batch, of_context)
            sizes = tf.broadcast_dynamic_shape(shapes[0], of_shapes[0])
            context = tf.broadcast_to(context, tf.concat([sizes, of_shapes[1]], 0))
            context = _flat(context, batch, of_shapes[1], self.context_shape)
            value = tf.broadcast_to(value, tf.concat([sizes, shapes[1]], 0))
        elif batch.rank == 1:
            return apply(value, context)
        else:
            sizes = shapes[0]
        event = value.shape[value.shape.rank - ndims :]
        result, log_det = apply(_flat(value, batch, shapes[1], event), context)
        shape = tf.concat([sizes, tf.shape(result)[1:]], 0)
        result = tf.ensure_shape(tf.reshape(result, shape), batch.concatenate(result.shape[1:]))
        if log_det.shape.rank == 0:
            return result, log_det
        return result, tf.ensure_shape(tf.reshape(log_det, sizes), batch)

    def _check_size(self, value):
        if self._size is None:
            return
        shape = self._size if isinstance(self._size, tuple) else (self._size,)
        if not value.shape[-len(shape) :].is_compatible_with(shape):
            what = f"vectors of length {shape[0]}" if len(shape) == 1 else f"arrays {list(shape)}"
            raise ValueError(f"event: {self.name} expects {what}, got shape {value.shape}")

    # TFP's hooks. TFP creates a value's cache record before it calls the hook, and both directions
    # share the record, so the log-determinant stored here serves whichever is called next.
    def _forward(self, x, context=None):
        y, log_det = self.forward_and_log_det(x, context)
        compat.log_det_of_forward(self, x, _keywords(context))["ildj"] = -log_det
        return y

    def _inverse(self, y, context=None):
        x, log_det = self.inverse_and_log_det(y, context)
        compat.log_det_of_inverse(self, y, _keywords(context))["ildj"] = log_det
        return x

    def _inverse_log_det_jacobian(self, y, context=None):
        attributes = compat.log_det_of_inverse(self, y, _keywords(context))
        if "ildj" not in attributes:
            self.inverse(y, **_keywords(context))
        return attributes["ildj"]


def _flat(value, batch, sizes, event):
    """`value` with its batch flattened to one dimension; a known static size is kept."""
    rows = batch.num_elements()
    flat = tf.reshape(value, tf.concat([[-1 if rows is None else rows], sizes], 0))
    return tf.ensure_shape(flat, [rows, *event])


def _split(value, ndims: int):
    """The static shape of the batch; and the dynamic shapes of batch and event."""
    rank, shape = value.shape.rank, tf.shape(value)
    return value.shape[: rank - ndims], (shape[: rank - ndims], shape[rank - ndims :])


def _may_be_equal(first: int | None, second: int | None) -> bool:
    return first == second or first is None or second is None


def _keywords(context) -> dict:
    return {} if context is None else {"context": context}


def context_shape(bijector: tfb.Bijector) -> tuple[int, ...] | None:
    """Shape of the context that `bijector` takes, or `None`; looks through `tfb.Invert`."""
    if not hasattr(bijector, "context_shape") and isinstance(bijector, compat.Invert):
        return context_shape(bijector.bijector)
    return getattr(bijector, "context_shape", None)


def check_context(bijector: tfb.Bijector, context) -> None:
    """Raises ValueError if `context` is missing, unexpected, or has the wrong shape."""
    expected = context_shape(bijector)
    if expected is None and context is not None:
        raise ValueError(
            f"context: {bijector.name} takes no context, got one of shape {context.shape}"
        )
    if expected is not None:
        if context is None:
            raise ValueError(
                f"context: {bijector.name} is conditional and expects shape [batch, "
                f"{', '.join(map(str, expected))}], got None"
            )
        got = tuple(tf.convert_to_tensor(context).shape[-len(expected) :]) if expected else ()
        if got != expected:
            raise ValueError(
                f"context: {bijector.name} expects shape [batch, {', '.join(map(str, expected))}], "
                f"got {tuple(context.shape)}"
            )


def keywords_for(bijector: tfb.Bijector, context) -> dict:
    """Keyword arguments that pass `context` to `bijector`; empty if either has none."""
    return {} if context is None or context_shape(bijector) is None else {"context": context}


def _sum_event(log_det, bijector_ndims: int, event_ndims: int):
    extra = event_ndims - bijector_ndims
    return tf.reduce_sum(log_det, axis=list(range(-extra, 0))) if extra else log_det


def parameters_of(raw: tf.Tensor, dtype) -> tf.Tensor:
    """Converts a network's output to parameters of a map: in `dtype`, and NaN if it overflowed.

    Infinity would hide the fault: an infinite shift gives a density of exactly 0.
    """
    raw = tf.cast(raw, dtype)
    return tf.where(tf.math.is_finite(raw), raw, tf.constant(math.nan, dtype))


@_as_it_is
def forward_and_log_det(bijector: tfb.Bijector, x, event_ndims: int, context=None):
    """`(y, log|det dy/dx|)` of any TFP bijector, over events of rank `event_ndims`.

    `context` goes to `bijector` if it takes one and is dropped otherwise. The log-determinant
    broadcasts against the batch.
    """
    keywords = keywords_for(bijector, context)
    if hasattr(bijector, "forward_and_log_det"):
        y, log_det = bijector.forward_and_log_det(x, **keywords)
        return y, _sum_event(log_det, bijector.forward_min_event_ndims, event_ndims)
    if isinstance(bijector, compat.Invert):
        return inverse_and_log_det(bijector.bijector, x, event_ndims, context)
    y = bijector.forward(x, **keywords)
    return y, bijector.forward_log_det_jacobian(x, event_ndims=event_ndims, **keywords)


@_as_it_is
def inverse_and_log_det(bijector: tfb.Bijector, y, event_ndims: int, context=None):
    """`(x, log|det dx/dy|)` of any TFP bijector; see `forward_and_log_det`."""
    keywords = keywords_for(bijector, context)
    if hasattr(bijector, "inverse_and_log_det"):
        x, log_det = bijector.inverse_and_log_det(y, **keywords)
        return x, _sum_event(log_det, bijector.inverse_min_event_ndims, event_ndims)
    if isinstance(bijector, compat.Invert):
        return forward_and_log_det(bijector.bijector, y, event_ndims, context)
    x = bijector.inverse(y, **keywords)
    return x, bijector.inverse_log_det_jacobian(y, event_ndims=event_ndims, **keywords)
