"""Conditioners: the networks that compute the parameters of a map."""

from __future__ import annotations

import tensorflow as tf


def as_layer(network, outputs: int):
    """`network` itself if it is a layer, else the layer that this class or function makes."""
    is_layer = hasattr(network, "variables") and not isinstance(network, type)
    return network if is_layer else network(outputs)


def build_conditioner(network, inputs: int, outputs: int, context_shape, name: str):
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
    layer = as_layer(network, outputs)
    keywords = {} if context_shape is None else {"context": tf.zeros([1, *context_shape])}
    result = layer(tf.zeros([1, inputs]), **keywords)
    if tuple(result.shape) != (1, outputs):
        raise ValueError(
            f"network: {name} expects a map from [batch, {inputs}] to [batch, {outputs}], got "
            f"output shape {tuple(result.shape)} for a batch of 1"
        )
    return layer
