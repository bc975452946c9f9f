"""Composition and inversion of bijectors, with the context passed on."""

from __future__ import annotations

import tensorflow_probability as tfp

from tfflows import compat
from tfflows.bijectors import base

tfb = tfp.bijectors


class Chain(compat.Chain):
    """Composition of bijectors, the first nearest to the data, with one `context` for all.

    `forward` applies the last bijector first, as `tfb.Chain` does. `tfb.Chain` silently drops a
    `context`; this class passes it to every member that takes one, including nested chains and
    inverses.

    Args:
      bijectors: sequence of bijectors, at least one.
      name: name of the bijector.

    Raises:
      ValueError: if two members take contexts of different shapes.
    """

    def __init__(self, bijectors, name: str = "chain"):
        parameters = dict(locals())
        bijectors = list(bijectors)
        if not bijectors:
            raise ValueError("bijectors: expected at least one, got an empty sequence")
        shapes = {base.context_shape(b) for b in bijectors} - {None}
        if len(shapes) > 1:
            raise ValueError(f"bijectors: expected one context shape, got {sorted(shapes)}")
        super().__init__(bijectors, parameters=parameters, name=name)
        self._context_shape = shapes.pop() if shapes else None

    @property
    def context_shape(self) -> tuple[int, ...] | None:
        """Shape of one context, or `None` if no member takes one."""
        return self._context_shape

    def _keywords(self, bijector, context, named):
        if context is not None:
            base.check_context(self, context)
        return {**base.keywords_for(bijector, context), **named.get(bijector.name, {})}

    def _walk_forward(self, step_fn, x, context=None, **named):
        for bijector in reversed(self._bijectors):
            x = step_fn(bijector, x, **self._keywords(bijector, context, named))
        return x

    def _walk_inverse(self, step_fn, y, context=None, **named):
        for bijector in self._bijectors:
            y = step_fn(bijector, y, **self._keywords(bijector, context, named))
        return y

    def forward_and_log_det(self, x, context=None):
        """Returns `(y, log|det dy/dx|)` for latents `x`, one pass per member."""
        base.check_context(self, context)
        ndims, total = self.forward_min_event_ndims, 0.0
        for bijector in reversed(self.bijectors):
            x, log_det = base.forward_and_log_det(bijector, x, ndims, context)
            total += log_det
            ndims = bijector.forward_event_ndims(ndims)
        return x, total

    def inverse_and_log_det(self, y, context=None):
        """Returns `(x, log|det dx/dy|)` for data `y`, one pass per member."""
        base.check_context(self, context)
        ndims, total = self.inverse_min_event_ndims, 0.0
        for bijector in self.bijectors:
            y, log_det = base.inverse_and_log_det(bijector, y, ndims, context)
            total += log_det
            ndims = bijector.inverse_event_ndims(ndims)
        return y, total


class Invert(compat.Invert):
    """The inverse of a bijector, with its joint methods and its context.

    Args:
      bijector: any TFP bijector.
      name: name of the bijector; `invert_` and the name of `bijector` by default.
    """

    def __init__(self, bijector: tfb.Bijector, name: str | None = None):
        parameters = dict(locals())
        super().__init__(bijector, parameters=parameters, name=name or f"invert_{bijector.name}")

    @property
    def context_shape(self) -> tuple[int, ...] | None:
        """Shape of one context, or `None` if the inverted map takes none."""
        return base.context_shape(self.bijector)

    def forward_and_log_det(self, x, context=None):
        """Returns `(y, log|det dy/dx|)`: the inverse pass of the inverted map."""
        base.check_context(self, context)
        return base.inverse_and_log_det(self.bijector, x, self.forward_min_event_ndims, context)

    def inverse_and_log_det(self, y, context=None):
        """Returns `(x, log|det dx/dy|)`: the forward pass of the inverted map."""
        base.check_context(self, context)
        return base.forward_and_log_det(self.bijector, y, self.inverse_min_event_ndims, context)
