"""NodeCNF: a flow over encodings of the types of a graph's nodes, given the graph."""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from tfflows import distributions, networks
from tfflows.bijectors.base import forward_and_log_det, inverse_and_log_det
from tfflows.checks import check_seed, whole_number
from tfflows.data import graphs
from tfflows.models.bound import KDrawBound, keyed_noise
from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.discrete.encodings import CategoryEncoding, EncodingAndFlow
from tfflows.models.discrete.integer import check_arguments, check_counts
from tfflows.models.discrete.starting import StartsFromData
from tfflows.models.flows.family import layer_seed
from tfflows.models.graphs import steps
from tfflows.models.integers import IntegerEvents
from tfflows.random import from_tails, row_keys, tail_rows
from tfflows.tracking import AdoptedModule

_INITIAL_ROWS = 2048  # at most, that ActNorm layers start from


@keras.saving.register_keras_serializable("tfflows")
class NodeCNF(StartsFromData, Described, KDrawBound, IntegerEvents, DensityModel):
    """A continuous flow over encodings of the types of a graph's nodes, given the graph.

    It is the first step of `GraphCNF` as a model of its own: the nodes may be vertices to colour,
    or people in a network whose groups are unknown. A row has the type of each of at most `dim`
    nodes, 0 where the graph has none. The context is the graph: 1 for each node that it has, and
    the number of its type, from 1, for each pair of nodes with an edge, by rows of the upper
    triangle of a matrix; 0 for others.

    `log_prob` is a lower bound on the log-probability of the types given the graph, in nats, by
    `samples` draws of the encodings, which are keyed by a hash of the row and the context. Rows
    with a type where the graph has no node, or none where it has one, have probability 0, and so
    have all rows for a context that is no such graph. All orders of the nodes are equally likely.
    Their bounds differ by the noise, which more `samples` make smaller.

    Args:
      dim: largest number of nodes, at least 2.
      node_types: number of types of nodes.
      edge_types: number of types of edges.
      channels: length of the encodings, at least 2.
      encoding_layers: coupling layers of the encodings of types; 0 for a scaled and shifted
        logistic distribution for each type.
      layers: number of coupling layers of the flow.
      components: logistics in each mixture of the flow's elementwise maps.
      width: hidden units of a node in the networks.
      blocks: layers of each network: a node learns of others at most as many edges away in one
        coupling layer.
      samples: K of the bound; also a property that can be set.
      seed: seed of initial weights and training noise.
      name: name of the model.

    Reference: Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021
    (section 5.2). https://arxiv.org/abs/2006.09790
    """

    modality = "colourings"
    event_dtype = tf.int32
    supports_temperature = False

    def __init__(
        self,
        dim: int,
        node_types: int = 3,
        edge_types: int = 1,
        channels: int = 4,
        encoding_layers: int = 0,
        layers: int = 6,
        components: int = 8,
        width: int = 64,
        blocks: int = 4,
        samples: int = 1,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        seed, dim = check_seed(seed), whole_number("dim", dim, 2)
        self._config = {
            "dim": dim,
            "node_types": node_types,
            "edge_types": edge_types,
            "channels": channels,
            "encoding_layers": encoding_layers,
            "layers": layers,
            "components": components,
            "width": width,
            "blocks": blocks,
            "seed": seed,
        }
        check_arguments(type(self), self._config)
        whole_number("node_types", node_types, 2)
        whole_number("edge_types", edge_types, 1)
        whole_number("channels", channels, 2)
        whole_number("encoding_layers", encoding_layers, 0)
        check_counts(layers=layers, components=components, width=width, blocks=blocks)
        super().__init__(seed=seed, name=name, trainable=trainable)
        self.samples = samples
        self._ends = graphs.pairs(dim)
        self._event_shape, self._shape = (dim,), (dim, channels)
        self.levels = 1 + node_types
        key = 1000 * layer_seed(seed)
        encoding = CategoryEncoding(1, node_types, channels, encoding_layers, False, key + 900)
        chain = steps.flow(
            *(layers, dim, channels, components, networks.RelationalGraphNetwork, 0, key),
            width=width,
            layers=blocks,
            relations=edge_types,
        )
        self.parts = EncodingAndFlow(encoding, chain)
        self._base = distributions.get("logistic")
        self._adopted = AdoptedModule(self.parts, name="parts")
        self.built = True

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        return {"dim": event_shape[0]}

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    @property
    def context_shape(self) -> tuple[int, ...]:
        """Shape of one context, a graph."""
        dim = self._shape[0]
        return (dim + dim * (dim - 1) // 2,)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "samples": self.samples}

    def _graph(self, context):
        """Which nodes graphs have, and the types of their edges; none at a place without a node."""
        dim = self._shape[0]
        nodes = context[:, :dim] > 0
        first, second = (tf.gather(nodes, places, axis=1) for places in self._ends)
        return nodes, tf.where(first & second, tf.cast(context[:, dim:], tf.int32), 0)

    # The bound.

    def _are_graphs(self, context):
        """Which contexts are graphs of the model's: `[batch]`."""
        dim, edge_types = self._shape[0], self._config["edge_types"]
        most = tf.constant([1.0] * dim + [float(edge_types)] * len(self._ends[0]))
        good = (context >= 0.0) & (context <= most) & tf.equal(context, tf.floor(context))
        return tf.reduce_all(good, 1)

    def _start(self, values, context) -> None:
        there, _ = self._graph(context)
        types = tf.cast(values, tf.int32)
        good = self._are_graphs(context).numpy()
        if not good.all():
            raise ValueError(
                f"context: expected 0 or 1 for each node and 0 to {self._config['edge_types']} for "
                f"each pair, got others in row {int(np.argmin(good))}"
            )
        good = tf.reduce_all(tf.equal(types > 0, there), 1).numpy()
        if not good.all():
            row = int(np.argmin(good))
            raise ValueError(
                "x: expected a type from 1 for each node of the graph in context and 0 for others, "
                f"got {types[row].numpy().tolist()} in row {row}"
            )
        if not tf.reduce_any(there):
            raise ValueError("context: expected a graph with a node, got none")
        self.parts.encoding.start(tf.boolean_mask(types, there).numpy()[:, None] - 1)
        values, context = values[:_INITIAL_ROWS], context[:_INITIAL_ROWS]
        noise = keyed_noise(self._like(values), self._keys(values, context))
        self._weight(values, context, noise(), steps.initializing)

    def _like(self, values):
        return tf.zeros([tf.shape(values)[0], *self._shape])

    def _keys(self, values, context):
        return row_keys(tf.concat([values, steps.context(*self._graph(context))], 1))

    def log_prob_fn(self, x, context=None):
        """The bound `[batch]`, nats, as a graph function; -inf for rows of other graphs."""
        x = tf.cast(x, tf.float32)
        there, _ = self._graph(context)
        good = tf.reduce_all(tf.equal(x > 0.0, there), 1) & self._are_graphs(context)
        good |= self.missing_rows(x, context)
        # The base class looks after other integers, fractions and NaN.
        log_prob = super().log_prob_fn(x, context)
        return tf.where(good, log_prob, tf.constant(-math.inf))

    def log_mass(self, values, context=None):
        """The bound `[batch]`, nats, of types, as a graph function."""
        like = tf.ensure_shape(self._like(values), [None, *self._shape])
        return self.bound(
            like,
            lambda: self._keys(values, context),
            lambda draw: self._weight(values, context, draw(), inverse_and_log_det),
        )

    def _weight(self, values, context, u, joint):
        """The log-weight `[batch]` of types, for one draw of their encodings by noise `u`."""
        there, edges = self._graph(context)
        z, decoded = self.parts.encoding.weighted(tf.maximum(tf.cast(values, tf.int32) - 1, 0), u)
        z = tf.reshape(z, [-1, self._shape[0] * self._shape[1]])
        latent, log_det = joint(self.parts.chain, z, 1, steps.context(there, edges))
        log_prob = self._base.log_prob(tf.reshape(latent, [-1, *self._shape]))
        return log_det + steps.sum_of(there, decoded + tf.reduce_sum(log_prob, -1))

    # Samples.

    def draw(self, seed, temperature, context=None):
        """Samples `[batch, dim]` for graphs, as a graph function."""
        dim, channels = self._shape
        size = dim * channels
        v, upper, rest = tail_rows(seed, size + dim)
        z = self._base.tail_quantile(*(part[:, :size] for part in (v, upper, rest)))
        there, edges = self._graph(context)
        z, _ = forward_and_log_det(self.parts.chain, z, 1, steps.context(there, edges))
        u = from_tails(v[:, size:], upper[:, size:])
        types = self.parts.encoding.decode(tf.reshape(z, [-1, dim, channels]), u)
        return tf.where(there, 1 + types, 0)

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their bound, as a graph function."""
        x = self.draw(seed, temperature, context)
        return x, self.log_prob_fn(x, context)
