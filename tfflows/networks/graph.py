"""Networks over the nodes and pairs of nodes of a graph, the same for every order of its nodes."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


def incidence(nodes: int) -> np.ndarray:
    """Which nodes a pair consists of, pairs by rows of the upper triangle: `[pairs, nodes]`."""
    first, second = np.triu_indices(nodes, 1)
    found = np.zeros([len(first), nodes], np.float32)
    found[np.arange(len(first)), first] = found[np.arange(len(first)), second] = 1.0
    return found


class _GraphNetwork(keras.layers.Layer):
    """What both networks share: seeded layers, and last layers that start at zero."""

    def __init__(self, width, layers, relations, seed, **kwargs):
        super().__init__(**kwargs)
        for name, value in (("width", width), ("layers", layers), ("relations", relations)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        self.width, self.layers, self.relations, self.seed = width, layers, relations, seed

    def _dense(self, units, salt, **kwargs):
        start = keras.initializers.GlorotUniform(self.seed * 1009 + salt)
        kwargs = {"kernel_initializer": start} | kwargs
        return keras.layers.Dense(units, dtype=self.dtype_policy, **kwargs)

    def _last(self, units):
        return self._dense(units, 0, kernel_initializer="zeros")

    def _normalization(self):
        return keras.layers.LayerNormalization(epsilon=1e-5, dtype=self.dtype_policy)

    def get_config(self):
        """Returns the constructor's arguments."""
        names = ("width", "layers", "relations", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("tfflows")
class RelationalGraphNetwork(_GraphNetwork):
    """Maps features of nodes to outputs of nodes, along edges of several types.

    In each layer a node receives the mean of its neighbours' features, through a matrix for each
    type of edge, and passes them with its own through a hidden layer; residual, after layer
    normalisation. Absent nodes send nothing. The last layer starts at zero.

    Args:
      outputs: numbers for each node.
      width: hidden units of a node.
      layers: number of layers.
      relations: number of types of edges.
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Reference: Schlichtkrull et al., Modeling Relational Data with Graph Convolutional Networks,
    2017. https://arxiv.org/abs/1703.06103
    """

    def __init__(
        self,
        outputs: int,
        width: int = 64,
        layers: int = 3,
        relations: int = 1,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(width, layers, relations, seed, **kwargs)
        self.outputs = outputs
        self.embedding = [self._dense(width, 1), self._dense(width, 2)]
        self.norms = [self._normalization() for _ in range(layers + 1)]
        self.messages = [
            self._dense(relations * width, 10 * i + 3, use_bias=False) for i in range(layers)
        ]
        self.hidden = [
            [self._dense(2 * width, 10 * i + 4), self._dense(width, 10 * i + 5)]
            for i in range(layers)
        ]
        self.last = self._last(outputs)

    def build(self, nodes_shape):
        """Creates the weights."""
        nodes, width = tuple(nodes_shape)[1], self.width
        self._index = _pair_of(nodes)
        self.embedding[0].build(nodes_shape)
        self.embedding[1].build((None, nodes, width))
        for i in range(self.layers):
            self.norms[i].build((None, nodes, width))
            self.messages[i].build((None, nodes, width))
            self.hidden[i][0].build((None, nodes, 2 * width))
            self.hidden[i][1].build((None, nodes, 2 * width))
        self.norms[-1].build((None, nodes, width))
        self.last.build((None, nodes, width))

    def call(self, nodes, present, edges):
        """Returns `[batch, nodes, outputs]`.

        Args:
          nodes: `[batch, nodes, features]`.
          present: `[batch, nodes]`, 1 for nodes that the graph has and 0 for others.
          edges: `[batch, pairs]`, 0 for no edge, else the number of its type.
        """
        h = self.embedding[1](tf.nn.gelu(self.embedding[0](nodes)))
        present = tf.cast(present, h.dtype)[..., tf.newaxis]
        padded = tf.pad(tf.cast(edges, tf.int32), [[0, 0], [0, 1]])  # for a node and itself
        types = tf.gather(padded, self._index, axis=1)
        adjacency = tf.one_hot(types - 1, self.relations, axis=1, dtype=h.dtype)
        adjacency *= tf.reshape(present, [-1, 1, 1, h.shape[1]])
        degrees = tf.reduce_sum(adjacency, [1, 3])[..., tf.newaxis]
        for norm, message, hidden in zip(self.norms[:-1], self.messages, self.hidden, strict=True):
            own = norm(h)
            sent = tf.reshape(message(own), [-1, h.shape[1], self.relations, self.width])
            received = tf.einsum("brij,bjrw->biw", adjacency, sent) / tf.maximum(degrees, 1.0)
            h += hidden[1](tf.nn.gelu(hidden[0](tf.concat([own, received], -1))))
        return self.last(self.norms[-1](h))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "outputs": self.outputs}


@keras.saving.register_keras_serializable("tfflows")
class EdgeGraphNetwork(_GraphNetwork):
    """Maps features of nodes and of pairs of nodes to outputs of both.

    In each layer a pair is updated from its own features and the sum of those of its two nodes,
    and a node from its own features and a gated mean of those of the pairs that it is part of;
    residual, after layer normalisation. Only present nodes and pairs take part. The last layers
    start at zero.

    Args:
      outputs: pair of numbers: how many outputs a node has, and a pair.
      width: hidden units of a node, and half as many of a pair.
      layers: number of layers.
      relations: number of types of pairs.
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Reference: Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021
    (its networks of nodes and edges, in this project's own form).
    https://arxiv.org/abs/2006.09790
    """

    def __init__(
        self,
        outputs: tuple[int, int],
        width: int = 64,
        layers: int = 3,
        relations: int = 1,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(width, layers, relations, seed, **kwargs)
        self.outputs, half = tuple(outputs), max(width // 2, 1)
        self._half = half
        self.embedding = [self._dense(width, 1), self._dense(width, 2)]
        self.pair_embedding = [self._dense(half, 3), self._dense(half, 4)]
        self.norms = [self._normalization() for _ in range(layers + 1)]
        self.pair_norms = [self._normalization() for _ in range(layers + 1)]
        self.to_pairs = [
            [self._dense(half, 20 * i + 5), self._dense(half, 20 * i + 6)] for i in range(layers)
        ]
        self.pair_hidden = [self._dense(half, 20 * i + 7) for i in range(layers)]
        self.to_nodes = [
            [self._dense(width, 20 * i + 8), self._dense(width, 20 * i + 9)] for i in range(layers)
        ]
        self.hidden = [
            [self._dense(2 * width, 20 * i + 10), self._dense(width, 20 * i + 11)]
            for i in range(layers)
        ]
        self.last, self.pair_last = self._last(self.outputs[0]), self._last(self.outputs[1])

    def build(self, nodes_shape, pairs_shape):
        """Creates the weights."""
        nodes, pairs = tuple(nodes_shape)[1], tuple(pairs_shape)[1]
        self._incidence = incidence(nodes)
        node, pair = (None, nodes, self.width), (None, pairs, self._half)
        self.embedding[0].build(nodes_shape)
        self.embedding[1].build(node)
        self.pair_embedding[0].build((*tuple(pairs_shape)[:-1], pairs_shape[-1] + self.relations))
        self.pair_embedding[1].build(pair)
        for i in range(self.layers):
            self.norms[i].build(node)
            self.pair_norms[i].build(pair)
            self.to_pairs[i][0].build(pair)
            self.to_pairs[i][1].build((None, nodes, self.width))
            self.pair_hidden[i].build(pair)
            self.to_nodes[i][0].build(pair)
            self.to_nodes[i][1].build(pair)
            self.hidden[i][0].build((None, nodes, 2 * self.width))
            self.hidden[i][1].build((None, nodes, 2 * self.width))
        self.norms[-1].build(node)
        self.pair_norms[-1].build(pair)
        self.last.build(node)
        self.pair_last.build(pair)

    def call(self, nodes, pairs, present, edges):
        """Returns outputs of nodes `[batch, nodes, n]` and of pairs `[batch, pairs, m]`.

        Args:
          nodes: `[batch, nodes, features]`.
          pairs: `[batch, pairs, features]`.
          present: `[batch, nodes]`, 1 for nodes that the graph has and 0 for others.
          edges: `[batch, pairs]`, 0 for pairs that take no part, else the number of their type.
        """
        edges = tf.cast(edges, tf.int32)
        types = tf.one_hot(edges - 1, self.relations, dtype=pairs.dtype)
        h = self.embedding[1](tf.nn.gelu(self.embedding[0](nodes)))
        e = tf.concat([pairs, types], -1)
        e = self.pair_embedding[1](tf.nn.gelu(self.pair_embedding[0](e)))
        present = tf.cast(present, h.dtype)[..., tf.newaxis]
        taking_part = tf.cast(edges > 0, h.dtype)[..., tf.newaxis]
        ends = tf.constant(self._incidence, h.dtype)
        counts = 1.0 + tf.einsum("pn,bpw->bnw", ends, taking_part)
        for i in range(self.layers):
            own, own_pair = self.norms[i](h) * present, self.pair_norms[i](e)
            both = tf.einsum("pn,bnw->bpw", ends, self.to_pairs[i][1](own))
            m = tf.nn.gelu(self.to_pairs[i][0](own_pair) + both)
            e += self.pair_hidden[i](m)
            sent = tf.sigmoid(self.to_nodes[i][0](m)) * self.to_nodes[i][1](m) * taking_part
            received = tf.einsum("pn,bpw->bnw", ends, sent) / counts
            h += self.hidden[i][1](tf.nn.gelu(self.hidden[i][0](tf.concat([own, received], -1))))
        return self.last(self.norms[-1](h)), self.pair_last(self.pair_norms[-1](e))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "outputs": list(self.outputs)}


def _pair_of(nodes: int) -> np.ndarray:
    """The number of the pair of two nodes, `[nodes, nodes]`; that of no pair on the diagonal."""
    first, second = np.triu_indices(nodes, 1)
    found = np.full([nodes, nodes], len(first))
    found[first, second] = found[second, first] = np.arange(len(first))
    return found
