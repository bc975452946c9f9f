"""Graphs as vectors: the order of the pairs, the way back, the checks, other orders of nodes."""

import itertools

import numpy as np
import pytest

from tfflows.data import graphs

# A triangle of nodes 0, 1 and 2 with node 3 at node 2, and a place that is left empty.
TYPES = [[2, 1, 1, 3, 0]]
EDGES = {(0, 1): 1, (0, 2): 2, (1, 2): 1, (2, 3): 3}
#          the nodes      01 02 03 04 12 13 14 23 24 34
VECTOR = [[2, 1, 1, 3, 0, 1, 2, 0, 0, 1, 0, 0, 3, 0, 0]]


def adjacency(nodes=5):
    values = np.zeros([1, nodes, nodes], np.int64)
    for (i, j), kind in EDGES.items():
        values[0, i, j] = values[0, j, i] = kind
    return values


def random_graphs(n, nodes, seed):
    rng = np.random.default_rng(seed)
    present = np.arange(nodes) < rng.integers(0, nodes + 1, [n, 1])
    types = rng.integers(1, 4, [n, nodes]) * present
    i, j = graphs.pairs(nodes)
    edges = rng.integers(0, 3, [n, len(i)]) * present[:, i] * present[:, j]
    return np.concatenate([types, edges], 1).astype(np.int32)


def test_pairs_are_the_rows_of_the_upper_triangle():
    i, j = graphs.pairs(4)
    assert [*zip(i, j, strict=True)] == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert len(graphs.pairs(1)[0]) == 0


def test_pack_and_unpack():
    vectors = graphs.pack(np.array(TYPES), adjacency())
    assert vectors.dtype == np.int32
    np.testing.assert_array_equal(vectors, VECTOR)
    types, matrices = graphs.unpack(vectors)
    np.testing.assert_array_equal(types, TYPES)
    np.testing.assert_array_equal(matrices, adjacency())
    assert graphs.sizes(vectors).tolist() == [4]
    many = random_graphs(50, 6, seed=0)
    np.testing.assert_array_equal(graphs.pack(*graphs.unpack(many)), many)


def test_the_number_of_nodes_follows_from_the_length():
    lengths = [graphs.length(nodes) for nodes in range(1, 60)]
    assert lengths == [nodes + nodes * (nodes - 1) // 2 for nodes in range(1, 60)]
    assert [graphs.most_nodes(length) for length in lengths] == [*range(1, 60)]
    for length in {*range(-2, 1771)} - {*lengths}:
        with pytest.raises(ValueError, match=rf"1, 3, 6, 10, \.\.\., got {length}"):
            graphs.most_nodes(length)
    with pytest.raises(ValueError, match="nodes: expected 1 or more, got 0"):
        graphs.length(0)


def test_check_accepts_graphs():
    graphs.check(VECTOR, 3, 3)
    graphs.check(np.zeros([2, 6], np.uint8), 1, 1)
    graphs.check(np.zeros([0, 6], np.int32), 1, 1)
    graphs.check(random_graphs(50, 6, seed=1), 3, 2)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (1, 4, "expected categories 0 to 3 of a node, got 4 at 1 in row 2"),
        (0, -1, "expected categories 0 to 3 of a node, got -1 at 0 in row 2"),
        (9, 4, r"expected categories 0 to 3 of a pair of nodes, got 4 at \(1, 2\) in row 2"),
        (9, -1, r"expected categories 0 to 3 of a pair of nodes, got -1 at \(1, 2\) in row 2"),
        (1, 0, "expected nodes in the first places, got none at 1 and one at 2 in row 2"),
        (13, 1, "expected no edge at a place without a node, got one between 2 and 4 in row 2"),
        (3, 0, "expected no edge at a place without a node, got one between 2 and 3 in row 2"),
    ],
)
def test_check_names_the_row(place, value, message):
    vectors = np.repeat(VECTOR, 4, axis=0)
    vectors[2, place] = value
    with pytest.raises(ValueError, match=message):
        graphs.check(vectors, 3, 3)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([1, 1, 1], r"vectors: expected shape \[n, N \+ N \(N - 1\) / 2\], got \[3\]"),
        ([[1, 1, 1, 0]], r"vectors: length: expected .*, got 4"),
        ([[1.0, 1.0, 1.0]], "vectors: expected integers, got dtype float64"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [
        lambda vectors: graphs.check(vectors, 1, 1),
        lambda vectors: graphs.permuted(vectors, [[0, 1]]),
        lambda vectors: graphs.random_orders(vectors, 0),
        graphs.sizes,
        graphs.unpack,
    ],
)
def test_other_arrays_are_refused(function, vectors, message):
    with pytest.raises(ValueError, match=message):
        function(vectors)


def test_pack_refuses_what_is_no_graph():
    lopsided, loop = adjacency(), adjacency()
    lopsided[0, 3, 1] = 2
    loop[0, 3, 3] = 1
    for types, matrices, message in [
        (TYPES, lopsided, r"symmetric matrices, got 0 at \(1, 3\) and 2 at \(3, 1\) in row 0"),
        (TYPES, loop, "no edge from a node to itself, got 1 at node 3 in row 0"),
        (TYPES, adjacency(4), r"adjacency: expected shape \[1, 5, 5\], got \[1, 4, 4\]"),
        (TYPES[0], adjacency(), r"types: expected shape \[n, N\], got \[5\]"),
        (np.array(TYPES) / 2, adjacency(), "types: expected integers, got dtype float64"),
        (TYPES, adjacency() * 1.0, "adjacency: expected integers, got dtype float64"),
    ]:
        with pytest.raises(ValueError, match=message):
            graphs.pack(types, matrices)


def test_permuted_relabels_the_nodes():
    order = [3, 0, 2, 1, 4]  # a cycle, and so not its own inverse
    (vector,) = graphs.permuted(VECTOR, [order])
    assert vector[:5].tolist() == [3, 2, 1, 1, 0]
    i, j = graphs.pairs(5)
    for a, b, kind in zip(i.tolist(), j.tolist(), vector[5:].tolist(), strict=True):
        assert kind == EDGES.get(tuple(sorted((order[a], order[b]))), 0)


def test_permuted_back_gives_the_same_graphs():
    vectors = random_graphs(50, 6, seed=2)
    orders = graphs.random_orders(vectors, seed=0)
    shuffled = graphs.permuted(vectors, orders)
    graphs.check(shuffled, 3, 2)
    assert shuffled.dtype == vectors.dtype and (shuffled != vectors).any(1).mean() > 0.5
    np.testing.assert_array_equal(graphs.permuted(shuffled, np.argsort(orders, 1)), vectors)


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        ([[0, 1, 2, 3]], r"orders: expected shape \[1, 5\], got \[1, 4\]"),
        ([[0, 1, 2, 2, 4]], r"permutation of 0 to 4, got \[0, 1, 2, 2, 4\] in row 0"),
        ([[0, 1, 2, 4, 3]], r"without a node to stay last, got \[0, 1, 2, 4, 3\] in row 0"),
        ([[0.0, 1, 2, 3, 4]], "orders: expected integers, got dtype float64"),
    ],
)
def test_bad_orders(orders, message):
    with pytest.raises(ValueError, match=message):
        graphs.permuted(VECTOR, orders)


def test_random_orders_are_equally_likely():
    vectors = np.tile(np.array([[1, 1, 1, 0, 0, 0, 0, 0, 0, 0]]), [6000, 1])
    orders = graphs.random_orders(vectors, seed=5)
    assert (orders[:, 3] == 3).all()
    np.testing.assert_array_equal(orders, graphs.random_orders(vectors, seed=5))
    counts = [(orders[:, :3] == order).all(1).sum() for order in itertools.permutations(range(3))]
    assert sum(counts) == 6000
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 25.7  # 1e-4 with 5 degrees
