"""Coupling: part of the event is transformed, with parameters computed from the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det, parameters_of
from tfflows.bijectors.elementwise import ElementwiseMap
from tfflows.bijectors.linear import take
from tfflows.tracking import layer_variables


def made(network, outputs: int):
    """`network` itself if it is a layer, else the layer that it (a class or function) makes."""
    is_layer = hasattr(network, "variables") and not isinstance(network, type)
    return network if is_layer else network(outputs)


def build_network(network, inputs: int, outputs: int, context_shape, name: str):
    """Makes and builds a conditioner, and checks what it returns.

    Args:
      network: a Keras layer, or a function from the number of outputs to one. It maps
        `[batch, inputs]` (and `context=[batch, *context_shape]` if it takes one) to
        `[batch, outputs]`.
      inputs, outputs: sizes.
      context_shape: shape of one context or `None`.
      name: name of the bijector, for the error message.

    Returns:
      The layer, with its variables created.
    """
    layer = made(network, outputs)
    keywords = {} if context_shape is None else {"context": tf.zeros([1, *context_shape])}
    result = layer(tf.zeros([1, inputs]), **keywords)
    if tuple(result.shape) != (1, outputs):
        raise ValueError(
            f"network: {name} needs one from [batch, {inputs}] to [batch, {outputs}], "
            f"got output shape {tuple(result.shape)} for a batch of 1"
        )
    return layer


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
                "mask: expected a vector of booleans with both values in it, "
                f"got {mask.astype(int).tolist()}"
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
        self.network = build_network(network, self._kept.size, outputs, self.context_shape, name)
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
        kept, changed = take(value, self._kept), take(value, self._changed)
        changed, log_det = joint(self._elementwise(kept, context), changed, 1)
        value = tf.concat([kept, changed], axis=-1)
        return take(value, self._order), log_det

    def _forward_and_log_det(self, x, context):
        return self._apply(forward_and_log_det, x, context)

    def _inverse_and_log_det(self, y, context):
        return self._apply(inverse_and_log_det, y, context)
