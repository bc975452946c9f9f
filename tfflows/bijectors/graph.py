"""Flows over the nodes of a graph and the pairs of its nodes, the same for every order of nodes."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors import normalization
from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det, parameters_of
from tfflows.bijectors.elementwise import ElementwiseMap
from tfflows.tracking import layer_variables

tfb = tfp.bijectors


class _GraphBijector(Bijector):
    """Base class of maps of graphs: what an event and a context consist of.

    An event `[nodes * channels + pairs * pair_channels]` holds the vectors of the nodes, then those
    of the pairs of nodes, by rows of the upper triangle of a matrix. A context `[nodes + pairs]`
    says what the graph has: 1 for each node that it has, and the number of its type, from 1, for
    each pair that takes part; 0 for others, which pass unchanged.

    Args:
      nodes: largest number of nodes.
      channels: length of a node's vector.
      pair_channels: length of a pair's vector; 0 if pairs have none, but only types.
      parameters, name: see `Bijector`.
    """

    def __init__(self, nodes, channels, pair_channels, parameters, name):
        for label, value, least in (
            ("nodes", nodes, 2),
            ("channels", channels, 1),
            ("pair_channels", pair_channels, 0),
        ):
            if value < least:
                raise ValueError(f"{label}: expected {least} or more, got {value}")
        self._pairs = nodes * (nodes - 1) // 2
        super().__init__(
            forward_min_event_ndims=1,
            context_shape=(nodes + self._pairs,),
            parameters=parameters,
            name=name,
        )
        self._nodes, self._channels, self._pair_channels = nodes, channels, pair_channels
        self._size = nodes * channels + self._pairs * pair_channels

    def _parts(self, value):
        """The vectors of nodes `[batch, nodes, channels]`, and of pairs or `None`."""
        sizes = [self._nodes * self._channels, self._pairs * self._pair_channels]
        nodes, pairs = tf.split(value, sizes, axis=-1)
        nodes = tf.reshape(nodes, [-1, self._nodes, self._channels])
        if not self._pair_channels:
            return nodes, None
        return nodes, tf.reshape(pairs, [-1, self._pairs, self._pair_channels])

    def _joined(self, nodes, pairs):
        flat = [tf.reshape(nodes, [-1, self._nodes * self._channels])]
        if pairs is not None:
            flat.append(tf.reshape(pairs, [-1, self._pairs * self._pair_channels]))
        return tf.concat(flat, axis=-1)

    def _forward_and_log_det(self, x, context):
        return self._apply(forward_and_log_det, x, context)

    def _inverse_and_log_det(self, y, context):
        return self._apply(inverse_and_log_det, y, context)

    def _apply(self, joint, value, context):
        raise NotImplementedError


def _only(there, joint, bijector, value, context=None):
    """Maps the vectors `[batch, n, channels]` that are `there` `[batch, n]`; the others stay."""
    there = there[..., tf.newaxis]
    changed, log_det = joint(bijector, value, 1, context)
    log_det = tf.where(there[..., 0], log_det, tf.zeros_like(log_det))
    return tf.where(there, changed, value), tf.reduce_sum(log_det, -1)


class GraphElementwise(_GraphBijector):
    """One map for the vector of every node, and one for that of every pair; see `_GraphBijector`.

    Args:
      nodes: largest number of nodes.
      channels: length of a node's vector.
      of_nodes: bijector of vectors `[channels]`, such as an `ActNorm` or an
        `InvertibleConvolution1x1`.
      pair_channels: length of a pair's vector; 0 if pairs have none.
      of_pairs: bijector of vectors `[pair_channels]`; `None` if pairs have none.
      name: name of the bijector.

    Raises:
      ValueError: if pairs have vectors and no bijector, or a bijector and no vectors.
    """

    def __init__(
        self,
        nodes: int,
        channels: int,
        of_nodes: tfb.Bijector,
        pair_channels: int = 0,
        of_pairs: tfb.Bijector | None = None,
        name: str = "graph_elementwise",
    ):
        parameters = dict(locals())
        if (of_pairs is None) != (pair_channels == 0):
            raise ValueError(
                f"of_pairs: expected a bijector if and only if pairs have channels, got {of_pairs} "
                f"for {pair_channels}"
            )
        super().__init__(nodes, channels, pair_channels, parameters, name)
        self.of_nodes, self.of_pairs = of_nodes, of_pairs

    def _apply(self, joint, value, context):
        nodes, pairs = self._parts(value)
        there = context > 0
        nodes, log_det = _only(there[:, : self._nodes], joint, self.of_nodes, nodes)
        if pairs is not None:
            pairs, more = _only(there[:, self._nodes :], joint, self.of_pairs, pairs)
            log_det += more
        return self._joined(nodes, pairs), log_det

    def initialize_members(self, values, event_ndims, context, inverse):
        """Initialises from the vectors of what the graphs have; see `normalization.initialize`."""
        nodes, pairs = self._parts(tf.convert_to_tensor(values))
        there = tf.convert_to_tensor(context) > 0
        normalization.initialize(
            self.of_nodes, tf.boolean_mask(nodes, there[:, : self._nodes]), 1, None, inverse
        )
        if pairs is not None:
            present = tf.boolean_mask(pairs, there[:, self._nodes :])
            normalization.initialize(self.of_pairs, present, 1, None, inverse)
        joint = inverse_and_log_det if inverse else forward_and_log_det
        return joint(self, values, event_ndims, context)[0]


class GraphCoupling(_GraphBijector):
    """Coupling over graphs: half of the channels of nodes and pairs, given the others of all.

    See `_GraphBijector` for events and contexts. If the network treats all nodes alike, as
    `EdgeGraphNetwork` and `RelationalGraphNetwork` do, so does the coupling.

    Args:
      nodes: largest number of nodes.
      channels: length of a node's vector, at least 2.
      map: an elementwise map (`Affine()`, `MixtureCDF()`, ...), for nodes.
      network: function from the number of outputs of a node, or the pair of those of a node and of
        a pair, to a Keras layer, which is called with the kept channels of nodes, those of pairs
        (if they have any), and both parts of the context.
      pair_channels: length of a pair's vector, at least 2; 0 if pairs have none.
      pair_map: an elementwise map for pairs; `map` by default.
      name: name of the bijector.

    Raises:
      ValueError: if there are too few channels, or the network's output has another shape.
    """

    def __init__(
        self,
        nodes: int,
        channels: int,
        map: ElementwiseMap,
        network: Callable,
        pair_channels: int = 0,
        pair_map: ElementwiseMap | None = None,
        name: str = "graph_coupling",
    ):
        parameters = dict(locals())
        super().__init__(nodes, channels, pair_channels, parameters, name)
        for label, value in (("channels", channels), ("pair_channels", pair_channels)):
            if value == 1:
                raise ValueError(f"{label}: {name} needs at least 2, got 1")
        self.map, self.pair_map = map, map if pair_map is None else pair_map
        self._kept, self._pair_kept = channels // 2, pair_channels // 2
        changed, pair_changed = channels - self._kept, pair_channels - self._pair_kept
        outputs = self.map.parameters * changed
        expected = [(1, nodes, outputs)]
        inputs = [tf.zeros([1, nodes, self._kept])]
        if pair_channels:
            outputs = (outputs, self.pair_map.parameters * pair_changed)
            inputs.append(tf.zeros([1, self._pairs, self._pair_kept]))
            expected.append((1, self._pairs, outputs[1]))
        self.network = network(outputs)
        found = self.network(*inputs, tf.ones([1, nodes]), tf.ones([1, self._pairs]))
        found = [tuple(part.shape) for part in (found if pair_channels else [found])]
        if found != expected:
            raise ValueError(f"network: {name} expects outputs of shapes {expected}, got {found}")
        self._network_variables = layer_variables(self.network)

    def _apply(self, joint, value, context):
        # Vectors that are not there do not reach the network, whatever they hold.
        there = context > 0
        node_there, pair_there = there[:, : self._nodes], there[:, self._nodes :]
        nodes, pairs = self._parts(value)
        kept, changed = _halves(nodes, self._kept)
        inputs = [_zero_unless(node_there, kept)]
        if pairs is not None:
            pair_kept, pair_changed = _halves(pairs, self._pair_kept)
            inputs.append(_zero_unless(pair_there, pair_kept))
        raw = self.network(*inputs, context[:, : self._nodes], context[:, self._nodes :])
        raw = raw if pairs is not None else (raw,)
        bijector = _elementwise(self.map, raw[0], changed)
        changed, log_det = _only(node_there, _of_numbers(joint), bijector, changed)
        nodes = tf.concat([kept, changed], -1)
        if pairs is not None:
            bijector = _elementwise(self.pair_map, raw[1], pair_changed)
            pair_changed, more = _only(pair_there, _of_numbers(joint), bijector, pair_changed)
            pairs, log_det = tf.concat([pair_kept, pair_changed], -1), log_det + more
        return self._joined(nodes, pairs), log_det


def _halves(value, kept: int):
    return tf.split(value, [kept, value.shape[-1] - kept], axis=-1)


def _zero_unless(there, value):
    return tf.where(there[..., tf.newaxis], value, tf.zeros_like(value))


def _elementwise(map, raw, like):
    """The map with a network's outputs as parameters, the first of all numbers together."""
    raw = parameters_of(raw, like.dtype)
    shape = [-1, like.shape[1], map.parameters, like.shape[2]]
    return map(tf.linalg.matrix_transpose(tf.reshape(raw, shape)))


def _of_numbers(joint):
    """`joint` for a bijector of numbers, with the log-determinant of each vector."""

    def apply(bijector, value, event_ndims, context):
        value, log_det = joint(bijector, value, 0)
        return value, tf.reduce_sum(log_det, -1)

    return apply
