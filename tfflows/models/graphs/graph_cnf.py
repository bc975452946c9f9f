"""GraphCNF: a flow over encodings of a graph's nodes and edges, in three steps."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tfflows import distributions, networks
from tfflows.bijectors.base import forward_and_log_det, inverse_and_log_det
from tfflows.checks import check_seed, whole_number
from tfflows.models.bound import KDrawBound, keyed_noise
from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.discrete.encodings import CategoryEncoding
from tfflows.models.discrete.integer import check_arguments, check_counts
from tfflows.models.discrete.starting import StartsFromData, new_flag
from tfflows.models.flows.family import layer_seed
from tfflows.models.graphs import steps
from tfflows.models.integers import IntegerEvents
from tfflows.random import from_tails, pick, row_keys, tail_rows
from tfflows.tracking import AdoptedModule

_INITIAL_ROWS = 2048  # at most, that ActNorm layers start from
_NONE, _EDGE = 0, 1  # what the decoder of pairs tells apart


class _Parts(tf.Module):
    """The sizes' distribution, encodings and flows, for those who look for variables."""

    def __init__(self, nodes, encodings, chains, name="parts"):
        super().__init__(name=name)
        sizes = tf.fill([nodes], -float(np.log(nodes)))
        self.log_sizes = tf.Variable(sizes, trainable=False, name="log_sizes")
        self.of_nodes, self.of_edges, self.of_pairs = encodings
        self.types, self.edges, self.pairs = chains
        self.initialized = new_flag()


@keras.saving.register_keras_serializable("tfflows")
class GraphCNF(StartsFromData, Described, KDrawBound, IntegerEvents, DensityModel):
    """A continuous flow over encodings of graphs, such as molecules.

    A graph is a row of integers: a type for each of at most `dim` nodes, 0 where there is none;
    then a type for each pair of nodes, 0 where there is no edge, by rows of the upper triangle of a
    matrix. The nodes of a graph come first.

    Types are encoded as vectors of real numbers in three steps. The types of the nodes are encoded
    and go through a flow that knows the edges and their types. Then the types of the edges are
    encoded, and nodes and edges go through a flow that knows where edges are. Last, pairs without
    an edge are encoded, and all go through a flow that knows only how many nodes there are. Samples
    go the other way: a number of nodes, drawn as often as in the data; which pairs have an edge;
    types of edges; types of nodes.

    `log_prob` is a lower bound on the log-probability of the graph with its nodes in this order, in
    nats, by `samples` draws of the encodings, which are keyed by a hash of the row. All orders of
    the nodes are equally likely.

    Args:
      dim: largest number of nodes, at least 2.
      node_types: number of types of nodes.
      edge_types: number of types of edges.
      channels: length of the encodings of nodes, at least 2.
      pair_channels: length of the encodings of edges and of pairs without one, at least 2.
      encoding_layers: coupling layers of the encodings of types; 0 for a scaled and shifted
        logistic distribution for each type.
      layers: number of coupling layers of the three flows.
      components: logistics in each mixture of the flows' elementwise maps.
      width: hidden units of a node in the networks.
      blocks: layers of each network.
      samples: K of the bound; also a property that can be set.
      seed: seed of initial weights and training noise.
      name: name of the model.

    Reference: Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021
    (section 4). https://arxiv.org/abs/2006.09790
    """

    modality = "graphs"
    event_dtype = tf.int32
    supports_temperature = False
    context_shape = None

    def __init__(
        self,
        dim: int,
        node_types: int = 4,
        edge_types: int = 3,
        channels: int = 6,
        pair_channels: int = 2,
        encoding_layers: int = 0,
        layers: tuple[int, int, int] = (4, 4, 4),
        components: int = 8,
        width: int = 64,
        blocks: int = 3,
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
            "pair_channels": pair_channels,
            "encoding_layers": encoding_layers,
            "layers": layers,
            "components": components,
            "width": width,
            "blocks": blocks,
            "seed": seed,
        }
        check_arguments(type(self), self._config)
        whole_number("node_types", node_types, 1)
        whole_number("edge_types", edge_types, 1)
        whole_number("channels", channels, 2)
        whole_number("pair_channels", pair_channels, 2)
        whole_number("encoding_layers", encoding_layers, 0)
        check_counts(components=components, width=width, blocks=blocks)
        if len(layers) != 3 or min(layers) < 1:
            raise ValueError(f"layers: expected three numbers, each at least 1, got {layers}")
        super().__init__(seed=seed, name=name, trainable=trainable)
        self.samples = samples
        self._pairs = dim * (dim - 1) // 2
        self._ends = np.triu_indices(dim, 1)
        self._event_shape = (dim + self._pairs,)
        self._shapes = (dim, channels), (self._pairs, pair_channels)
        self._most = np.repeat([node_types, edge_types], [dim, self._pairs]).astype(np.float32)
        self.levels = 1 + max(node_types, edge_types)
        key = 1000 * layer_seed(seed)

        def encoding(levels, size, layers, salt):
            return CategoryEncoding(1, levels, size, layers, False, key + salt, f"encoding_{salt}")

        of_pairs = encoding(2, pair_channels, 0, 902)
        # An edge's vector comes from the flow of edges, and starts with mean 0 and deviation 1.
        of_pairs.loc.assign(np.stack([np.full(pair_channels, 2.0), np.zeros(pair_channels)])[None])
        of_pairs.log_scale.assign(np.stack([np.full(pair_channels, s) for s in (-1.0, -0.6)])[None])
        encodings = (
            encoding(node_types, channels, encoding_layers, 900),
            encoding(edge_types, pair_channels, encoding_layers, 901),
            of_pairs,
        )
        sizes = dim, channels, components

        def step(number, network, pair_channels=0, **kwargs):
            salt = key + 100 * number
            kwargs |= {"width": width, "layers": blocks}
            return steps.flow(layers[number], *sizes, network, pair_channels, salt, **kwargs)

        chains = (
            step(0, networks.RelationalGraphNetwork, relations=edge_types),
            step(1, networks.EdgeGraphNetwork, pair_channels),
            step(2, networks.EdgeGraphNetwork, pair_channels),
        )
        self.parts = _Parts(dim, encodings, chains)
        self._base = distributions.get("logistic")
        self._adopted = AdoptedModule(self.parts, name="parts")
        self.built = True

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        dim = round((np.sqrt(8 * event_shape[0] + 1) - 1) / 2)
        return {"dim": dim}

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "samples": self.samples}

    # Which rows are graphs.

    def _present(self, values):
        """Which nodes a graph has, and which pairs of them: booleans."""
        dim = self._shapes[0][0]
        nodes = values[:, :dim] > 0
        ends = [tf.gather(nodes, places, axis=1) for places in self._ends]
        return nodes, ends[0] & ends[1]

    def _are_graphs(self, values):
        """Which rows `[batch, *event]` of whole numbers are graphs: `[batch]`."""
        dim = self._shapes[0][0]
        nodes, pairs = self._present(values)
        good = tf.reduce_all((values >= 0.0) & (values <= self._most), 1)
        good &= nodes[:, 0] & tf.reduce_all(nodes[:, :-1] | ~nodes[:, 1:], 1)
        return good & tf.reduce_all(pairs | (values[:, dim:] == 0.0), 1)

    def check_data(self, name: str, x, start: int = 0) -> None:
        """Raises a ValueError that names the argument, if a row is not a graph of the model's."""
        super().check_data(name, x, start)
        good = self._are_graphs(tf.constant(np.asarray(x, np.float32))).numpy()
        if not good.all():
            dim, config = self._shapes[0][0], self._config
            raise ValueError(
                f"{name}: expected graphs of 1 to {dim} nodes of {config['node_types']} types, "
                f"these first, and edges of {config['edge_types']} types between them, got another "
                f"in row {start + int(np.argmin(good))}"
            )

    # The bound.

    def _start(self, values, context) -> None:
        parts, dim = self.parts, self._shapes[0][0]
        rows = values.numpy().astype(int)
        nodes, pairs = (part.numpy() for part in self._present(values))
        counts = np.bincount(nodes.sum(1) - 1, minlength=dim) + 0.01
        parts.log_sizes.assign(np.log(counts / counts.sum()))
        edges = rows[:, dim:]
        parts.of_nodes.start(rows[:, :dim][nodes] - 1)
        parts.of_edges.start(edges[edges > 0] - 1)
        parts.of_pairs.start((edges[pairs] > 0).astype(int))
        values = values[:_INITIAL_ROWS]
        self._steps(values, keyed_noise(self._like(values), row_keys(values))(), steps.initializing)

    def _like(self, values):
        return tf.zeros([tf.shape(values)[0], sum(a * b for a, b in self._shapes)])

    def log_prob_fn(self, x, context=None):
        """The bound `[batch]`, nats, as a graph function; -inf for rows that are not graphs."""
        x = tf.cast(x, tf.float32)
        good = self._are_graphs(x)
        harmless = tf.one_hot(tf.zeros(tf.shape(x)[:1], tf.int32), self._event_shape[0])
        inner = super().log_prob_fn(tf.where(good[:, tf.newaxis], x, harmless))
        log_prob = tf.where(good, inner, tf.constant(-np.inf, tf.float32))
        return tf.where(self.missing_rows(x, None), tf.constant(np.nan, tf.float32), log_prob)

    def log_mass(self, values, context=None):
        """The bound `[batch]`, nats, of graphs, as a graph function."""
        like = tf.ensure_shape(self._like(values), [None, sum(a * b for a, b in self._shapes)])
        return self.bound(
            like,
            lambda: row_keys(values),
            lambda draw: self._steps(values, draw(), inverse_and_log_det),
        )

    def _steps(self, values, u, joint):
        """The log-weight `[batch]` of graphs, for one draw of their encodings by noise `u`."""
        parts, (dim, channels), (pairs, pair_channels) = self.parts, *self._shapes
        there, possible = self._present(values)
        types, edges = tf.split(tf.cast(values, tf.int32), [dim, pairs], axis=1)
        linked, free = edges > 0, possible & (edges == 0)
        u, u_pairs = tf.split(u, [dim * channels, pairs * pair_channels], axis=1)
        u = tf.reshape(u, [-1, dim, channels])
        u_pairs = tf.reshape(u_pairs, [-1, pairs, pair_channels])
        sizes = tf.one_hot(tf.reduce_sum(tf.cast(there, tf.int32), 1) - 1, dim)
        weight = tf.reduce_sum(sizes * tf.convert_to_tensor(parts.log_sizes), 1)

        # Types of nodes, given the edges and their types.
        z, decoded = parts.of_nodes.weighted(tf.maximum(types - 1, 0), u)
        weight += steps.sum_of(there, decoded)
        z = tf.reshape(z, [-1, dim * channels])
        z, log_det = joint(parts.types, z, 1, steps.context(there, edges))
        weight += log_det
        # Types of edges, given where they are.
        e, decoded = parts.of_edges.weighted(tf.maximum(edges - 1, 0), u_pairs)
        weight += steps.sum_of(linked, decoded)
        z = tf.concat([z, tf.reshape(e, [-1, pairs * pair_channels])], 1)
        z, log_det = joint(parts.edges, z, 1, steps.context(there, linked))
        weight += log_det
        # Where edges are, given the number of nodes.
        z, e = tf.split(z, [dim * channels, pairs * pair_channels], axis=1)
        e = tf.reshape(e, [-1, pairs, pair_channels])
        log_joint = parts.of_pairs.log_joint(e)
        decoded = log_joint[..., _EDGE] - tf.reduce_logsumexp(log_joint, -1)
        weight += steps.sum_of(linked, decoded)
        no_edge, decoded = parts.of_pairs.weighted(tf.fill(tf.shape(edges), _NONE), u_pairs)
        weight += steps.sum_of(free, decoded)
        e = tf.where(linked[..., tf.newaxis], e, no_edge)
        z = tf.concat([z, tf.reshape(e, [-1, pairs * pair_channels])], 1)
        z, log_det = joint(parts.pairs, z, 1, steps.context(there, possible))
        # The latents.
        log_prob = self._base.log_prob(z)
        log_prob, of_pairs = tf.split(log_prob, [dim * channels, pairs * pair_channels], axis=1)
        log_prob = tf.reduce_sum(tf.reshape(log_prob, [-1, dim, channels]), -1)
        of_pairs = tf.reduce_sum(tf.reshape(of_pairs, [-1, pairs, pair_channels]), -1)
        return weight + log_det + steps.sum_of(there, log_prob) + steps.sum_of(possible, of_pairs)

    # Samples.

    def draw(self, seed, temperature, context=None):
        """Samples `[batch, *event]`, as a graph function."""
        parts, (dim, channels), (pairs, pair_channels) = self.parts, *self._shapes
        sizes = [dim * channels + pairs * pair_channels, 1, pairs, pairs, dim]
        v, upper, rest = tail_rows(seed, sum(sizes))
        z = self._base.tail_quantile(*(part[:, : sizes[0]] for part in (v, upper, rest)))
        u = from_tails(v[:, sizes[0] :], upper[:, sizes[0] :])
        of_size, of_links, of_edges, of_types = tf.split(u, sizes[1:], axis=1)
        count = pick(tf.cumsum(tf.exp(tf.convert_to_tensor(parts.log_sizes))), of_size)
        there = tf.range(dim) <= count
        possible = tf.gather(there, self._ends[0], axis=1) & tf.gather(there, self._ends[1], axis=1)

        def split(z):
            nodes, of_pairs = tf.split(z, [dim * channels, pairs * pair_channels], axis=1)
            return nodes, tf.reshape(of_pairs, [-1, pairs, pair_channels])

        z, _ = forward_and_log_det(parts.pairs, z, 1, steps.context(there, possible))
        linked = possible & (parts.of_pairs.decode(split(z)[1], of_links) == _EDGE)
        z, _ = forward_and_log_det(parts.edges, z, 1, steps.context(there, linked))
        z, e = split(z)
        edges = tf.where(linked, 1 + parts.of_edges.decode(e, of_edges), 0)
        z, _ = forward_and_log_det(parts.types, z, 1, steps.context(there, edges))
        types = parts.of_nodes.decode(tf.reshape(z, [-1, dim, channels]), of_types)
        types = tf.where(there, 1 + types, 0)
        return tf.concat([types, edges], 1)

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their bound, as a graph function."""
        x = self.draw(seed, temperature, context)
        return x, self.log_prob_fn(x)
