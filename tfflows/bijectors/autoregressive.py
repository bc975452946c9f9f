"""Autoregressive bijectors: the map of each dimension depends on the dimensions before it."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det, parameters_of
from tfflows.bijectors.conditioner import as_layer
from tfflows.bijectors.elementwise import ElementwiseMap
from tfflows.random import no_training_noise
from tfflows.tracking import layer_variables


class MaskedAutoregressive(Bijector):
    """Masked autoregressive flow over vectors: `y_d = map(network(y_{<d})).forward(x_d)`.

    Data to latent takes one pass of the network. Latent to data proceeds number by number. If the
    network can be evaluated piece by piece, this costs about as much as one pass
    (`AutoregressiveNetwork` through `generate`; recurrent and finite-dependency networks through
    `initial_state` and `step`). Otherwise it takes `size` passes, each of which fixes one more
    number. The inverse map, `Invert(MaskedAutoregressive(...))`, is the inverse autoregressive
    flow.

    From latent to data the network's dropout is off, in training too: with noise, each pass would
    evaluate a different network.

    Args:
      size: length of the vector.
      map: an elementwise map (`Affine()`, `RationalQuadraticSpline()`, ...).
      network: an `AutoregressiveNetwork` with `map.parameters` outputs per dimension, or any layer
        that maps `[batch, size]` to `[batch, size, parameters]` autoregressively in left-to-right
        order, or a function from the number of parameters to such a layer.
      context_shape: shape of one context, passed to the network, or `None`.
      name: name of the bijector.

    References: Papamakarios, Pavlakou & Murray, Masked Autoregressive Flow for Density
    Estimation, 2017. https://arxiv.org/abs/1705.07057; Kingma et al., Improving Variational
    Inference with Inverse Autoregressive Flow, 2016. https://arxiv.org/abs/1606.04934
    """

    def __init__(
        self,
        size: int,
        map: ElementwiseMap,
        network: Callable,
        context_shape: tuple[int, ...] | None = None,
        name: str = "masked_autoregressive",
    ):
        parameters = dict(locals())
        super().__init__(
            forward_min_event_ndims=1,
            context_shape=context_shape,
            parameters=parameters,
            name=name,
        )
        self.map = map
        self.network = as_layer(network, map.parameters)
        self._size = size
        keywords = {} if context_shape is None else {"context": tf.zeros([1, *context_shape])}
        shape = tuple(self.network(tf.zeros([1, size]), **keywords).shape)
        if shape != (1, size, map.parameters):
            raise ValueError(
                f"network: {name} expects a map from [batch, {size}] to [batch, {size}, "
                f"{map.parameters}], got output shape {shape} for a batch of 1"
            )
        self._network_variables = layer_variables(self.network)

    def _elementwise(self, y, context):
        keywords = {} if context is None else {"context": context}
        return self.map(parameters_of(self.network(y, **keywords), y.dtype))

    def _inverse_and_log_det(self, y, context):
        return inverse_and_log_det(self._elementwise(y, context), y, 1)

    def _forward_and_log_det(self, x, context):
        with no_training_noise():
            if hasattr(self.network, "generate"):
                return self.network.generate(self._choose, x, context)
            if hasattr(self.network, "step"):
                return self._by_steps(x, context)
            return self._by_passes(x, context)

    def _choose(self, parameters, x):
        return forward_and_log_det(self.map(parameters), x, 0)

    def _by_steps(self, x, context):
        """Generates with a stateful network: `step` returns the parameters of one dimension."""
        columns = tf.transpose(x)
        batch = tf.shape(x)[0]

        def step(index, previous, log_det, state, y):
            parameters, state = self.network.step(index, previous, state, context)
            number, term = self._choose(tf.cast(parameters, x.dtype), tf.gather(columns, index))
            return index + 1, number, log_det + term, state, y.write(index, number)

        zeros = tf.zeros([batch], x.dtype)
        y = tf.TensorArray(x.dtype, size=self._size, element_shape=[None])
        state = self.network.initial_state(batch, context, x.dtype)
        _, _, log_det, _, y = tf.while_loop(
            lambda index, *_: index < self._size,
            step,
            (tf.constant(0), zeros, zeros, state, y),
            maximum_iterations=self._size,
            parallel_iterations=1,
        )
        return tf.transpose(y.stack()), log_det

    def _by_passes(self, x, context):
        # After step d the first d dimensions are final, so the parameters of step `size` are
        # those of the finished event, and its log-determinant is the whole map's.
        def step(index, y, log_det):
            y, log_det = forward_and_log_det(self._elementwise(y, context), x, 1)
            return index + 1, y, log_det

        start = (tf.constant(0), tf.zeros_like(x), tf.reduce_sum(tf.zeros_like(x), axis=-1))
        _, y, log_det = tf.while_loop(
            lambda index, *_: index < self._size,
            step,
            start,
            maximum_iterations=self._size,
            parallel_iterations=1,
        )
        return y, log_det
