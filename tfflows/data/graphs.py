"""Graphs with categories of nodes and edges, each graph one vector of integers.

A graph of at most `N` nodes is an int32 vector of length `N + N (N - 1) / 2`. First comes a
category for each node: 0 for no node, 1 to A for a type. The nodes of the graph fill the first
places. Then comes a category for each pair of nodes `i < j`: 0 for no edge, 1 to B for a type. The
pairs are in the order of the rows of the upper triangle: (0, 1), (0, 2), ..., (1, 2), (1, 3), and
so on. Edges have no direction.
"""

from __future__ import annotations

import functools
import math

import numpy as np


def length(nodes: int) -> int:
    """Length of the vector of a graph of at most `nodes` nodes.

    Raises:
      ValueError: if `nodes` is below 1.
    """
    if nodes < 1:
        raise ValueError(f"nodes: expected 1 or more, got {nodes}")
    return nodes * (nodes + 1) // 2


def most_nodes(length: int) -> int:
    """`N`, the largest number of nodes of a graph that is a vector of this length.

    Raises:
      ValueError: if no `N` has vectors of this length.
    """
    nodes = (math.isqrt(8 * length + 1) - 1) // 2 if length > 0 else 0
    if nodes < 1 or nodes * (nodes + 1) // 2 != length:
        raise ValueError(f"length: expected N + N (N - 1) / 2 = 1, 3, 6, 10, ..., got {length}")
    return nodes


@functools.lru_cache(maxsize=64)
def pairs(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of nodes `i < j` in the order of a vector.

    Returns:
      `i` and `j`, int64 `[nodes (nodes - 1) / 2]` each, read-only.
    """
    i, j = np.triu_indices(nodes, 1)
    i.flags.writeable = j.flags.writeable = False
    return i, j


def pack(types: np.ndarray, adjacency: np.ndarray) -> np.ndarray:
    """The vectors of graphs.

    Args:
      types: the nodes' categories, integers `[n, N]`.
      adjacency: the pairs' categories, integers `[n, N, N]`, symmetric with a diagonal of zeros.

    Returns:
      Vectors, int32 `[n, N + N (N - 1) / 2]`.

    Raises:
      ValueError: if the shapes differ, an adjacency is not symmetric or an edge is a loop.
    """
    types, adjacency = _integers(types, "types"), _integers(adjacency, "adjacency")
    if types.ndim != 2 or not types.shape[1]:
        raise ValueError(f"types: expected shape [n, N], got {list(types.shape)}")
    n, nodes = types.shape
    if adjacency.shape != (n, nodes, nodes):
        raise ValueError(
            f"adjacency: expected shape {[n, nodes, nodes]}, got {list(adjacency.shape)}"
        )
    wrong = adjacency != adjacency.swapaxes(1, 2)
    if wrong.any():
        row, i, j = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"adjacency: expected symmetric matrices, got {adjacency[row, i, j]} at {i, j} and "
            f"{adjacency[row, j, i]} at {j, i} in row {row}"
        )
    loops = adjacency[:, np.arange(nodes), np.arange(nodes)]
    if loops.any():
        row, i = np.argwhere(loops)[0].tolist()
        raise ValueError(
            f"adjacency: expected no edge from a node to itself, got {loops[row, i]} at node {i} "
            f"in row {row}"
        )
    i, j = pairs(nodes)
    return np.concatenate([types, adjacency[:, i, j]], 1).astype(np.int32)


def unpack(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The categories of graphs' nodes and pairs of nodes.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.

    Returns:
      Categories of the nodes, `[n, N]`, and of the pairs, `[n, N, N]`, symmetric with a diagonal of
      zeros, both of the vectors' dtype.

    Raises:
      ValueError: if the vectors have another shape or no integers.
    """
    vectors, nodes = _vectors(vectors)
    adjacency = np.zeros([len(vectors), nodes, nodes], vectors.dtype)
    i, j = pairs(nodes)
    adjacency[:, i, j] = adjacency[:, j, i] = vectors[:, nodes:]
    return vectors[:, :nodes].copy(), adjacency


def sizes(vectors: np.ndarray) -> np.ndarray:
    """Number of nodes of each graph, int64 `[n]`.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.

    Raises:
      ValueError: if the vectors have another shape or no integers.
    """
    vectors, nodes = _vectors(vectors)
    return np.count_nonzero(vectors[:, :nodes], axis=1)


def check(vectors: np.ndarray, node_types: int, edge_types: int) -> None:
    """Checks that vectors are graphs.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.
      node_types, edge_types: A and B, the number of types of nodes and of edges.

    Raises:
      ValueError: if they are not; the message names the first row that is wrong.
    """
    vectors, nodes = _vectors(vectors)
    types, edges = vectors[:, :nodes], vectors[:, nodes:]
    i, j = pairs(nodes)
    for values, most, what in ((types, node_types, "node"), (edges, edge_types, "pair of nodes")):
        row, place = _first((values < 0) | (values > most))
        if row is not None:
            at = place if what == "node" else (int(i[place]), int(j[place]))
            raise ValueError(
                f"vectors: expected categories 0 to {most} of a {what}, got {values[row, place]} "
                f"at {at} in row {row}"
            )
    row, place = _first((types[:, :-1] == 0) & (types[:, 1:] != 0))
    if row is not None:
        raise ValueError(
            f"vectors: expected nodes in the first places, got none at {place} and one at "
            f"{place + 1} in row {row}"
        )
    row, place = _first((edges != 0) & ((types[:, i] == 0) | (types[:, j] == 0)))
    if row is not None:
        raise ValueError(
            "vectors: expected no edge at a place without a node, got one between "
            f"{i[place]} and {j[place]} in row {row}"
        )


def permuted(vectors: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Graphs with their nodes in another order.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.
      orders: `[n, N]`, each row a permutation of 0 to N - 1: node `i` of a new graph is node
        `orders[row, i]` of the old one. Places without a node must stay the last ones.

    Returns:
      Vectors of the same graphs, of the shape and dtype of `vectors`.

    Raises:
      ValueError: if a row is no permutation, or moves a place without a node before a node.
    """
    vectors, nodes = _vectors(vectors)
    orders = _integers(orders, "orders")
    expected = (len(vectors), nodes)
    if orders.shape != expected:
        raise ValueError(f"orders: expected shape {list(expected)}, got {list(orders.shape)}")
    row, _ = _first(np.sort(orders, 1) != np.arange(nodes))
    if row is not None:
        raise ValueError(
            f"orders: expected a permutation of 0 to {nodes - 1}, got {orders[row].tolist()} in "
            f"row {row}"
        )
    types, adjacency = unpack(vectors)
    rows = np.arange(len(vectors))[:, np.newaxis]
    types = types[rows, orders]
    row, _ = _first((types[:, :-1] == 0) & (types[:, 1:] != 0))
    if row is not None:
        raise ValueError(
            "orders: expected the places without a node to stay last, got "
            f"{orders[row].tolist()} in row {row}"
        )
    i, j = pairs(nodes)
    edges = adjacency[rows, orders[:, i], orders[:, j]]
    return np.concatenate([types, edges], 1)


def random_orders(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Random orders of graphs' nodes, for `permuted`.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.
      seed: of the draw.

    Returns:
      int64 `[n, N]`: each order of a graph's nodes is equally likely; the other places stay last.
    """
    vectors, nodes = _vectors(vectors)
    keys = np.random.default_rng(seed).random([len(vectors), nodes])
    keys[np.arange(nodes) >= sizes(vectors)[:, np.newaxis]] = 2.0
    return np.argsort(keys, axis=1, kind="stable")


def _vectors(vectors: np.ndarray) -> tuple[np.ndarray, int]:
    vectors = _integers(vectors, "vectors")
    if vectors.ndim != 2:
        raise ValueError(
            f"vectors: expected shape [n, N + N (N - 1) / 2], got {list(vectors.shape)}"
        )
    try:
        return vectors, most_nodes(vectors.shape[1])
    except ValueError as error:
        raise ValueError(f"vectors: {error}") from None


def _integers(values: np.ndarray, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected integers, got dtype {values.dtype}")
    return values


def _first(wrong: np.ndarray) -> tuple[int, int] | tuple[None, None]:
    """Row and column of the first True."""
    if not wrong.any():
        return None, None
    row, column = np.unravel_index(np.argmax(wrong), wrong.shape)
    return int(row), int(column)
