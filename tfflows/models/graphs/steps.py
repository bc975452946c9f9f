"""What the steps of flows over graphs share."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.bijectors.base import inverse_and_log_det
from tfflows.bijectors.normalization import initialize


def flow(
    couplings: int,
    dim: int,
    channels: int,
    components: int,
    network: Callable[..., keras.layers.Layer],
    pair_channels: int,
    salt: int,
    **kwargs,
) -> tb.Chain:
    """A flow over the vectors of nodes, and of pairs if these have any.

    Args:
      couplings: number of coupling layers.
      dim: largest number of nodes.
      channels: length of a node's vector.
      components: logistics in each mixture of the elementwise maps.
      network: class of the networks.
      pair_channels: length of a pair's vector; 0 if pairs have none.
      salt: seed of the first layer, those of the others follow.
      **kwargs: further arguments of the networks.
    """
    both = channels, pair_channels
    map = tb.MixtureCDF(components, "logistic", "logistic")

    def elementwise(make):
        of_nodes, of_pairs = (make(size) if size else None for size in both)
        return tb.GraphElementwise(dim, channels, of_nodes, pair_channels, of_pairs)

    chain = []
    for seed in range(salt, salt + couplings):
        chain.append(elementwise(tb.ActNorm))
        chain.append(
            elementwise(lambda size, seed=seed: tb.InvertibleConvolution1x1(size, seed=seed))
        )

        def make(outputs, seed=seed):
            return network(outputs, seed=seed, **kwargs)

        chain.append(tb.GraphCoupling(dim, channels, map, make, pair_channels))
    chain.append(elementwise(tb.ActNorm))
    return tb.Chain(chain)


def initializing(chain, z, event_ndims, context):
    """`inverse_and_log_det` that first sets what starts from data."""
    initialize(chain, z, event_ndims, context)
    return inverse_and_log_det(chain, z, event_ndims, context)


def context(nodes, pairs):
    """What a graph has, as the maps of graphs take it."""
    return tf.concat([tf.cast(nodes, tf.float32), tf.cast(pairs, tf.float32)], axis=1)


def sum_of(there, values):
    """The sum over what is there, `[batch]`; nothing else counts, NaN and infinity included."""
    return tf.reduce_sum(tf.where(there, values, tf.zeros_like(values)), axis=1)
