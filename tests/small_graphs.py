"""Small models of graphs for tests, and rows that are graphs."""

import numpy as np

from tfflows import models

SMALL = {
    **{"channels": 2, "pair_channels": 2, "layers": (1, 1, 1), "components": 2, "width": 8},
    "blocks": 1,
}


def graphs(dim=2, n=64, node_types=2, edge_types=2, seed=0):
    """Random rows that are graphs; not all graphs are equally likely."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(dim, 1)
    nodes = np.where(np.arange(dim) < rng.integers(1, dim + 1, (n, 1)), 1, 0)
    types = nodes * rng.choice(node_types, (n, dim), p=np.arange(1, node_types + 1) / 3) + nodes
    edges = rng.integers(0, edge_types + 1, (n, len(first))) * nodes[:, first] * nodes[:, second]
    return np.concatenate([types, edges], 1).astype(np.int32)


def rows(model, n):
    """Graphs of the model's size, and no contexts."""
    return graphs(model.get_config()["dim"], n), None


GRAPHS = {"graph_cnf": lambda: models.GraphCNF(3, node_types=2, edge_types=2, **SMALL)}
