"""The base class of the project's bijectors: joint methods, context, one pass a map."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability.python.bijectors.invert import _Invert

tfb = tfp.bijectors


class Bijector(tfb.Bijector):
    """A `tfp.bijectors.Bijector` that is defined by its two joint methods.

    A subclass writes

    * `_forward_and_log_det(x, context)`, latent to data, and
    * `_inverse_and_log_det(y, context)`, data to latent,

    each returning the value and the log absolute determinant of the Jacobian *of that direction*,
    with the bijector's minimum event dimensions summed out. Everything that TFP's interface asks
    for follows, in one pass: the log-determinant that comes with a value is left in TFP's own
    cache, where `tfb.Chain`, `tfb.Invert` and `tfd.TransformedDistribution` find it.

    Args:
      forward_min_event_ndims: rank of the smallest event that the map acts on.
      inverse_min_event_ndims: the same of its output; the same number unless given.
      context_shape: shape of one context, or `None` for a map that takes none.
      dtype: dtype of the event, or `None` for any floating type.
      parameters: the constructor's arguments, as TFP's bijectors keep them.
      name: name of the bijector.
    """

    # Length of the vectors, or shape of the arrays, that the map acts on, where it is fixed.
    _size: int | tuple[int, ...] | None = None

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
        """Shape of one context, or `None` where the map takes none."""
        return self._context_shape

    @classmethod
    def _parameter_properties(cls, dtype):
        # The maps have no batch of parameters: one map for all rows.
        return {}

    def _forward_and_log_det(self, x, context):
        raise NotImplementedError(f"{type(self).__name__} has no forward map")

    def _inverse_and_log_det(self, y, context):
        raise NotImplementedError(f"{type(self).__name__} has no inverse map")

    def forward_and_log_det(self, x, context=None):
        """Returns `(y, log|det dy/dx|)` for latents `x`, in one pass."""
        check_context(self, context)
        self._check_size(x)
        return self._forward_and_log_det(x, context)

    def inverse_and_log_det(self, y, context=None):
        """Returns `(x, log|det dx/dy|)` for data `y`, in one pass."""
        check_context(self, context)
        self._check_size(y)
        return self._inverse_and_log_det(y, context)

    def _check_size(self, value):
        if self._size is None:
            return
        shape = self._size if isinstance(self._size, tuple) else (self._size,)
        if not value.shape[-len(shape) :].is_compatible_with(shape):
            what = f"vectors of length {shape[0]}" if len(shape) == 1 else f"arrays {list(shape)}"
            raise ValueError(f"event: {self.name} acts on {what}, got shape {value.shape}")

    # TFP's hooks. The cache's record of a value exists before the hook is called, and is shared by
    # both directions, so the log-determinant stored here answers whichever is asked next.
    def _forward(self, x, context=None):
        y, log_det = self.forward_and_log_det(x, context)
        self._cache.forward_attributes(x, **_keywords(context))["ildj"] = -log_det
        return y

    def _inverse(self, y, context=None):
        x, log_det = self.inverse_and_log_det(y, context)
        self._cache.inverse_attributes(y, **_keywords(context))["ildj"] = log_det
        return x

    def _inverse_log_det_jacobian(self, y, context=None):
        attributes = self._cache.inverse_attributes(y, **_keywords(context))
        if "ildj" not in attributes:
            self.inverse(y, **_keywords(context))
        return attributes["ildj"]


def _keywords(context) -> dict:
    return {} if context is None else {"context": context}


def context_shape(bijector: tfb.Bijector) -> tuple[int, ...] | None:
    """Shape of the context that `bijector` takes, or `None`; looks through `tfb.Invert`."""
    if not hasattr(bijector, "context_shape") and isinstance(bijector, _Invert):
        return context_shape(bijector.bijector)
    return getattr(bijector, "context_shape", None)


def check_context(bijector: tfb.Bijector, context) -> None:
    """Raises ValueError if `context` is missing, needless, or of another shape than stated."""
    expected = context_shape(bijector)
    if expected is None and context is not None:
        raise ValueError(f"context: {bijector.name} takes none, got one of shape {context.shape}")
    if expected is not None:
        if context is None:
            raise ValueError(
                f"context: {bijector.name} is conditional and needs one of shape "
                f"[batch, {', '.join(map(str, expected))}], got None"
            )
        got = tuple(tf.convert_to_tensor(context).shape[-len(expected) :]) if expected else ()
        if got != expected:
            raise ValueError(
                f"context: {bijector.name} expects shape [batch, {', '.join(map(str, expected))}], "
                f"got {tuple(context.shape)}"
            )


def keywords_for(bijector: tfb.Bijector, context) -> dict:
    """The keyword arguments that hand `context`, if any, to `bijector`, if it takes one."""
    return {} if context is None or context_shape(bijector) is None else {"context": context}


def _sum_event(log_det, bijector_ndims: int, event_ndims: int):
    extra = event_ndims - bijector_ndims
    return tf.reduce_sum(log_det, axis=list(range(-extra, 0))) if extra else log_det


def forward_and_log_det(bijector: tfb.Bijector, x, event_ndims: int, context=None):
    """`(y, log|det dy/dx|)` of any TFP bijector, over events of rank `event_ndims`.

    `context` goes to `bijector` if it takes one and is dropped otherwise. The log-determinant
    broadcasts against the batch.
    """
    keywords = keywords_for(bijector, context)
    if hasattr(bijector, "forward_and_log_det"):
        y, log_det = bijector.forward_and_log_det(x, **keywords)
        return y, _sum_event(log_det, bijector.forward_min_event_ndims, event_ndims)
    if isinstance(bijector, _Invert):
        return inverse_and_log_det(bijector.bijector, x, event_ndims, context)
    y = bijector.forward(x, **keywords)
    return y, bijector.forward_log_det_jacobian(x, event_ndims=event_ndims, **keywords)


def inverse_and_log_det(bijector: tfb.Bijector, y, event_ndims: int, context=None):
    """`(x, log|det dx/dy|)` of any TFP bijector; see `forward_and_log_det`."""
    keywords = keywords_for(bijector, context)
    if hasattr(bijector, "inverse_and_log_det"):
        x, log_det = bijector.inverse_and_log_det(y, **keywords)
        return x, _sum_event(log_det, bijector.inverse_min_event_ndims, event_ndims)
    if isinstance(bijector, _Invert):
        return forward_and_log_det(bijector.bijector, y, event_ndims, context)
    x = bijector.inverse(y, **keywords)
    return x, bijector.inverse_log_det_jacobian(y, event_ndims=event_ndims, **keywords)
