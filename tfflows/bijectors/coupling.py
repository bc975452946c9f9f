"""Coupling: part of the event is transformed, with parameters computed from the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det, parameters_of
from tfflows.bijectors.conditioner import build_conditioner
from tfflows.bijectors.elementwise import ElementwiseMap
from tfflows.bijectors.indexing import select
from tfflows.tracking import layer_variables


class Coupling(Bijector):
    """Coupling layer over vectors: `y_b = map(network(y_a)).forward(x_b)`, `y_a = x_a`.

    Args:
      mask: `[size]` booleans; True where the event passes unchanged and is the network's input.
      map: an elementwise map (`Affine()`, `RationalQuadraticSpline()`, ...).
      network: a Keras layer from `[batch, kept]` to `[batch, map.parameters * transformed]` (the
        first parameter of each number, then the second of each, and so on), or a function from
        that number of outputs to a layer.
      context_shape: shape of one context, passed to the network as `context=`, or `None`.
      name: name of the bijector.

    Raises:
      ValueError: if the mask keeps all or nothing, or the network's output has another size.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016.
    https://arxiv.org/abs/1605.08803
    """

    def __init__(
        self,
        mask,
        map: ElementwiseMap,
        network: Callable,
        context_shape: tuple[int, ...] | None = None,
        name: str = "coupling",
    ):
        parameters = dict(locals())
        mask = np.asarray(mask, bool)
        if mask.ndim != 1 or mask.all() or not mask.any():
            raise ValueError(
                "mask: expected a vector of booleans, some true and some false, got "
                f"{mask.astype(int).tolist()}"
            )
        super().__init__(
            forward_min_event_ndims=1,
            context_shape=context_shape,
            parameters=parameters,
            name=name,
        )
        self.map = map
        self._kept, self._changed = np.flatnonzero(mask), np.flatnonzero(~mask)
        self._order = np.argsort(np.concatenate([self._kept, self._changed]))
        outputs = self._changed.size * map.parameters
        self.network = build_conditioner(
            network, self._kept.size, outputs, self.context_shape, name
        )
        self._network_variables = layer_variables(self.network)
        self._size = mask.size

    def _elementwise(self, kept, context):
        keywords = {} if context is None else {"context": context}
        raw = parameters_of(self.network(kept, **keywords), kept.dtype)
        # A map reads one parameter of all numbers at a time, so those are kept adjacent.
        shape = [self.map.parameters, self._changed.size]
        raw = tf.ensure_shape(
            tf.reshape(raw, tf.concat([tf.shape(kept)[:-1], shape], 0)),
            kept.shape[:-1].concatenate(shape),
        )
        return self.map(tf.linalg.matrix_transpose(raw))

    def _apply(self, joint, value, context):
        kept, changed = select(value, self._kept), select(value, self._changed)
        changed, log_det = joint(self._elementwise(kept, context), changed, 1)
        value = tf.concat([kept, changed], axis=-1)
        return select(value, self._order), log_det

    def _forward_and_log_det(self, x, context):
        return self._apply(forward_and_log_det, x, context)

    def _inverse_and_log_det(self, y, context):
        return self._apply(inverse_and_log_det, y, context)
