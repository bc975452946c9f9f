"""Coloured graphs: numbers of colourings known by hand or by trying all, and uniform draws."""

import collections
import itertools
import math

import numpy as np
import pytest

from tfflows.data import colourings, graphs


def graph(nodes, edges, colours=None, most=None):
    """One graph's vector, `[1, length]`."""
    most = most or nodes
    types = np.zeros([1, most], int)
    types[0, :nodes] = 1 if colours is None else colours
    adjacency = np.zeros([1, most, most], int)
    for i, j in edges:
        adjacency[0, i, j] = adjacency[0, j, i] = 1
    return graphs.pack(types, adjacency)


def cycle(nodes):
    return [(i, (i + 1) % nodes) for i in range(nodes)]


def all_proper(vector):
    """All proper colourings `[count, nodes]` of a graph, in lexicographic order, by trying all."""
    size = int(graphs.sizes([vector])[0])
    _, adjacency = graphs.unpack(np.array([vector]))
    candidates = np.array([*itertools.product((1, 2, 3), repeat=size)])
    i, j = np.nonzero(np.triu(adjacency[0]))
    return candidates[(candidates[:, i] != candidates[:, j]).all(1)]


PETERSEN = [
    *cycle(5),
    *((i, i + 5) for i in range(5)),
    *((5 + i, 5 + (i + 2) % 5) for i in range(5)),
]


@pytest.mark.parametrize(
    ("nodes", "edges", "count"),
    [
        (3, cycle(3), 6),
        (5, cycle(5), 2**5 - 2),  # chromatic polynomial (k - 1)^n + (-1)^n (k - 1) of a cycle
        (8, cycle(8), 2**8 + 2),
        (15, cycle(15), 2**15 - 2),
        (4, [*itertools.combinations(range(4), 2)], 0),
        (5, [*cycle(4), *((i, 4) for i in range(4))], 6),  # a wheel: hub 3 times rim 2
        (6, [*cycle(5), *((i, 5) for i in range(5))], 0),
        (10, PETERSEN, 120),
        (20, [(i, i + 1) for i in range(19)], 3 * 2**19),
        (39, [], 3**39),
        (6, [(0, 1), (1, 2), (0, 2), (3, 4)], 6 * 6 * 3),  # in three pieces
    ],
)
def test_counts_of_known_graphs(nodes, edges, count):
    assert colourings.counts(graph(nodes, edges)).tolist() == [count]
    assert colourings.counts(graph(nodes, edges, most=nodes + 2)).tolist() == [count]


def test_counts_are_those_of_trying_all():
    rng = np.random.default_rng(0)
    for _ in range(60):
        nodes = int(rng.integers(1, 8))
        i, j = graphs.pairs(nodes)
        kept = rng.random(len(i)) < rng.uniform(0.1, 0.9)
        vectors = graph(nodes, zip(i[kept], j[kept], strict=True), most=8)
        assert colourings.counts(vectors)[0] == len(all_proper(vectors[0]))


def test_draws_are_as_required():
    drawn = colourings.draw(150, seed=1)
    vectors = drawn.vectors
    assert vectors.dtype == np.int32 and vectors.shape == (150, 210)
    assert colourings.valid(vectors).all()
    sizes = graphs.sizes(vectors)
    assert sizes.min() == 10 and sizes.max() == 20
    np.testing.assert_array_equal(drawn.counts, colourings.counts(vectors))
    types, adjacency = graphs.unpack(vectors)
    for row, size in enumerate(sizes):
        edges = adjacency[row, :size, :size].astype(np.int64)
        walks = np.linalg.matrix_power(np.eye(size, dtype=np.int64) + edges, size - 1)
        assert (walks > 0).all(), "not connected"
        # A graph has two colours if and only if it has no closed walk of odd length.
        lengths, power = [], edges.copy()
        for length in range(1, size + 1):
            lengths.append(length % 2 == 1 and np.trace(power) > 0)
            power = np.minimum(power @ edges, 1)
        assert any(lengths), "two colours suffice"
    expected = np.mean([math.log2(c) / n for c, n in zip(drawn.counts, sizes, strict=True)])
    assert drawn.optimum == pytest.approx(expected)


def test_a_row_depends_on_the_seed_and_its_number_alone():
    whole = colourings.draw(12, seed=7, nodes=(5, 9))
    for first, n in [(0, 5), (5, 7), (3, 1)]:
        part = colourings.draw(n, seed=7, first=first, nodes=(5, 9))
        np.testing.assert_array_equal(part.vectors, whole.vectors[first : first + n])
        np.testing.assert_array_equal(part.counts, whole.counts[first : first + n])
    assert len({row.tobytes() for row in whole.vectors}) == 12
    other = colourings.draw(12, seed=8, nodes=(5, 9))
    assert not {row.tobytes() for row in whole.vectors} & {row.tobytes() for row in other.vectors}
    far = colourings.draw(1, seed=2**32, nodes=(5, 9)).vectors  # not row 1 of seed 0
    assert (far[0] != colourings.draw(1, seed=0, first=1, nodes=(5, 9)).vectors[0]).any()
    assert colourings.draw(0, seed=0).vectors.shape == (0, 210)


def test_graphs_and_colours_of_four_nodes_have_their_exact_probabilities():
    """Of four nodes, 12 graphs are a triangle and a node at it, 6 are two triangles at an edge.

    With an edge's probability of 0.4 they are as 0.4^4 0.6^2 to 0.4^5 0.6. The former have 12
    colourings each, the latter 6.
    """
    n = 4000
    drawn = colourings.draw(n, seed=2, nodes=(4, 4), probability=(0.4, 0.4))
    found = collections.Counter(map(tuple, drawn.vectors.tolist()))
    pendant, diamond = 0.4**4 * 0.6**2, 0.4**5 * 0.6
    total = 12 * pendant + 6 * diamond
    chi_square, cells = 0.0, 0
    for edges in itertools.product((0, 1), repeat=6):
        proper = all_proper((1, 1, 1, 1, *edges))
        # The others of 4 or 5 edges have two colours.
        if (sum(edges), len(proper)) in {(4, 12), (5, 6)}:
            weight = (pendant if sum(edges) == 4 else diamond) / total / len(proper)
            cells += len(proper)
            for colours in proper.tolist():
                chi_square += (found.pop((*colours, *edges), 0) - n * weight) ** 2 / (n * weight)
    assert not found and cells == 12 * 12 + 6 * 6
    assert chi_square < cells - 1 + 4 * math.sqrt(2 * (cells - 1))


def test_colourings_are_uniform():
    """The rank of a colouring among all of its graph, with a random fraction, is uniform."""
    drawn = colourings.draw(900, seed=3, nodes=(6, 8), probability=(0.3, 0.4))
    rng = np.random.default_rng(0)
    places = []
    for vector, count in zip(drawn.vectors, drawn.counts, strict=True):
        proper = all_proper(vector)
        assert len(proper) == count
        (rank,) = np.flatnonzero((proper == vector[: proper.shape[1]]).all(1))
        places.append((rank + rng.random()) / count)
    found = np.histogram(places, 30, (0, 1))[0]
    assert np.sum((found - 30) ** 2 / 30) < 29 + 4 * math.sqrt(2 * 29)


def test_the_representative_of_partial_colourings_is_drawn_by_their_numbers():
    """Two nodes of one cycle that are far apart: the share of colourings in which they agree."""
    n = 3000
    vectors = graph(7, cycle(7))
    neighbours = colourings._neighbours(7, *zip(*cycle(7), strict=True))
    rng = np.random.default_rng(4)
    drawn = np.array([colourings._count(neighbours, rng)[1] for _ in range(n)])
    proper = all_proper(vectors[0])
    assert len(proper) == 126
    for i, j in itertools.combinations(range(7), 2):
        share = np.mean(proper[:, i] == proper[:, j])
        error = math.sqrt(share * (1 - share) / n)
        assert np.mean(drawn[:, i] == drawn[:, j]) == pytest.approx(share, abs=4.5 * error)
    found = collections.Counter(map(tuple, drawn.tolist()))
    chi_square = sum((found[tuple(c)] - n / 126) ** 2 / (n / 126) for c in proper.tolist())
    assert sum(found.values()) == n and chi_square < 125 + 4 * math.sqrt(2 * 125)


def test_valid_and_log_prob():
    proper = graph(4, [*cycle(3), (2, 3)], [1, 2, 3, 1], most=5)
    wrong = graph(4, [*cycle(3), (2, 3)], [1, 2, 3, 3], most=5)
    vectors = np.concatenate([proper, wrong])
    assert colourings.valid(vectors).tolist() == [True, False]
    np.testing.assert_allclose(colourings.log_prob(vectors), [-math.log(12), -np.inf])
    no_graph = np.zeros([1, 15], np.int32)
    assert colourings.log_prob(no_graph).tolist() == [0.0]


def test_bad_vectors():
    with pytest.raises(ValueError, match="categories 0 to 3 of a node, got 4 at 0 in row 0"):
        colourings.valid([[4, 1, 0]])
    with pytest.raises(ValueError, match=r"categories 0 to 1 of a pair of nodes, got 2"):
        colourings.valid([[1, 1, 2]])
    with pytest.raises(ValueError, match="no edge at a place without a node"):
        colourings.counts([[1, 0, 1]])
    with pytest.raises(ValueError, match="vectors: expected at most 39 nodes, got 40 in row 0"):
        colourings.counts(graph(40, []))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n: expected 0 or more, got -1"),
        ({"seed": -1}, "seed: expected 0 or more, got -1"),
        ({"first": -2}, "first: expected 0 or more, got -2"),
        ({"nodes": (2, 5)}, r"nodes: expected 3 <= least <= most <= 39, got \(2, 5\)"),
        ({"nodes": (6, 5)}, r"nodes: expected .* got \(6, 5\)"),
        ({"nodes": (6, 40)}, r"nodes: expected .* got \(6, 40\)"),
        ({"probability": (0.0, 0.1)}, r"probability: expected 0 < least .* got \(0.0, 0.1\)"),
        ({"probability": (0.3, 0.2)}, r"probability: expected .* got \(0.3, 0.2\)"),
        ({"probability": (0.3, 1.0)}, r"probability: expected .* got \(0.3, 1.0\)"),
        (
            {"nodes": (12, 12), "probability": (1e-9, 1e-9)},
            r"connected graph of 12 nodes that needs three colours is likely, got \(1e-09, 1e-09\)",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        colourings.draw(**{"n": 1, "seed": 0, **arguments})
