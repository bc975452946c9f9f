"""Small models of graphs for tests, and rows that are graphs."""

import numpy as np
import tensorflow as tf

from tfflows import models

SMALL = {
    **{"channels": 2, "pair_channels": 2, "layers": (1, 1, 1), "components": 2, "width": 8},
    "blocks": 1,
}

NODES = {"channels": 2, "layers": 1, "components": 2, "width": 8, "blocks": 1}


def graphs(dim=2, n=64, node_types=2, edge_types=2, seed=0, least=1):
    """Random rows that are graphs of `least` nodes or more; not all graphs are equally likely."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(dim, 1)
    nodes = np.where(np.arange(dim) < rng.integers(least, dim + 1, (n, 1)), 1, 0)
    types = nodes * rng.choice(node_types, (n, dim), p=np.arange(1, node_types + 1) / 3) + nodes
    edges = rng.integers(0, edge_types + 1, (n, len(first))) * nodes[:, first] * nodes[:, second]
    return np.concatenate([types, edges], 1).astype(np.int32)


def narrow_latents(chain):
    """Makes latents narrower than their logistic base, so that weights of a bound vary little.

    ActNorm sets their deviation to 1, a logistic has 1.8.
    """
    norm = chain.bijectors[-1]
    for part in filter(None, (norm.of_nodes, norm.of_pairs)):
        part.log_scale.assign_sub(tf.fill(part.log_scale.shape, 0.7))


def node_types(dim=2, n=64, seed=0, least=1):
    """Types of nodes, and the graphs without them as contexts."""
    x = graphs(dim, n, seed=seed, least=least)
    context = x.astype(np.float32)
    context[:, :dim] = x[:, :dim] > 0
    return x[:, :dim], context


def rows(model, n):
    """Graphs of the model's size, and no contexts; or types of nodes, and graphs."""
    dim = model.get_config()["dim"]
    if model.context_shape is None:
        return graphs(dim, n), None
    # With fewer nodes or types, draws would often be the same.
    x, context = node_types(dim, n, least=dim - 1)
    types = np.random.default_rng(1).integers(1, model.get_config()["node_types"] + 1, x.shape)
    return np.where(x > 0, types, 0).astype(np.int32), context


GRAPHS = {
    "graph_cnf": lambda: models.GraphCNF(3, node_types=2, edge_types=2, **SMALL),
    "node_cnf": lambda: models.NodeCNF(8, node_types=6, edge_types=2, **NODES),
}
# How far weights are moved; with less, hardly any draw depends on the graph.
SCALES = {"node_cnf": 0.1}
