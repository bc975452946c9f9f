"""Random graphs that need three colours, with a colouring drawn uniformly among the proper ones.

The number of proper colourings of each graph is known. The conditional probability of a colouring
given its graph is one over that number.

Vectors are those of `tfflows.data.graphs`: the categories of nodes, 1 to 3, are colours, and all
edges have category 1. The graphs follow the task of Lippe and Gavves, "Categorical Normalizing
Flows via Continuous Transformations", https://arxiv.org/abs/2006.09790. They take one colouring
from a solver, which leaves the best possible likelihood unknown.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tfflows.data import graphs

COLOURS = 3
_MOST_NODES = 39  # 3 to this power is the largest that fits an int64
_MOST_PARTIAL = 3_000_000  # partial colourings held at a time, a few hundred MB
_MOST_ATTEMPTS = 20_000  # random graphs for one that is as required


@dataclasses.dataclass(frozen=True, eq=False)
class Colourings:
    """Coloured graphs.

    Attributes:
      vectors: int32 `[n, N + N (N - 1) / 2]`, as in `tfflows.data.graphs`.
      counts: number of proper colourings of each graph, int64 `[n]`.
    """

    vectors: np.ndarray
    counts: np.ndarray

    @property
    def optimum(self) -> float:
        """The least expected loss of any model of colours given graphs, in bits per node.

        This is the mean over the graphs of `log2(counts) / nodes`.
        """
        return float(np.mean(np.log2(self.counts) / graphs.sizes(self.vectors)))


def draw(
    n: int,
    seed: int,
    first: int = 0,
    nodes: tuple[int, int] = (10, 20),
    probability: tuple[float, float] = (0.1, 0.3),
) -> Colourings:
    """Draws coloured graphs: connected, colourable with three colours and not with two.

    The number of nodes is uniform. Given it, the probability of an edge is drawn, then each edge
    independently, and both again until the graph is as required. The colouring is uniform among all
    proper ones.

    Args:
      n: number of graphs.
      seed: of the draw, 0 or more.
      first: number of the first graph. Graph `i` depends on `(seed, i)` alone, so parts of one set
        can be drawn by several processes.
      nodes: the least and the largest number of nodes, within 3 to 39; vectors have the length of
        the latter. A graph of 20 nodes takes a few milliseconds, and the work grows exponentially.
      probability: the least and the largest probability of an edge.

    Returns:
      The graphs, with their numbers of colourings.

    Raises:
      ValueError: if an argument is out of range, a graph needs too much memory, or no graph of that
        size and probability is found in 20,000 attempts.
    """
    for name, value in (("n", n), ("seed", seed), ("first", first)):
        if value < 0:
            raise ValueError(f"{name}: expected 0 or more, got {value}")
    if not 3 <= nodes[0] <= nodes[1] <= _MOST_NODES:
        raise ValueError(f"nodes: expected 3 <= least <= most <= {_MOST_NODES}, got {nodes}")
    if not 0 < probability[0] <= probability[1] < 1:
        raise ValueError(f"probability: expected 0 < least <= most < 1, got {probability}")
    vectors = np.zeros([n, graphs.length(nodes[1])], np.int32)
    counts = np.zeros(n, np.int64)
    places = np.zeros([nodes[1], nodes[1]], np.int64)
    places[graphs.pairs(nodes[1])] = np.arange(nodes[1], vectors.shape[1])
    for row in range(n):
        # As entropy, the pair would be the same as another one with a seed beyond 2**32.
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first + row,)))
        size = int(rng.integers(nodes[0], nodes[1] + 1))
        i, j = graphs.pairs(size)
        for _ in range(_MOST_ATTEMPTS):
            edges = rng.random(len(i)) < rng.uniform(*probability)
            neighbours = _neighbours(size, i[edges].tolist(), j[edges].tolist())
            if _connected_not_bipartite(neighbours):
                counts[row], colours = _count(neighbours, rng)
                if counts[row]:
                    break
        else:
            raise ValueError(
                f"probability: expected one with which a connected graph of {size} nodes that "
                f"needs three colours is likely, got {probability}"
            )
        vectors[row, :size] = colours
        vectors[row, places[i[edges], j[edges]]] = 1
    return Colourings(vectors, counts)


def valid(vectors: np.ndarray) -> np.ndarray:
    """Which colourings are proper, i.e. no edge joins two nodes of one colour: bool `[n]`.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.

    Raises:
      ValueError: if they are not graphs with three types of nodes and one of edges.
    """
    vectors = np.asarray(vectors)
    graphs.check(vectors, COLOURS, 1)
    nodes = graphs.most_nodes(vectors.shape[1])
    i, j = graphs.pairs(nodes)
    return ~((vectors[:, nodes:] != 0) & (vectors[:, i] == vectors[:, j])).any(1)


def counts(vectors: np.ndarray) -> np.ndarray:
    """Number of proper colourings of each graph with at most three colours, int64 `[n]`.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`; the types of nodes and edges do not matter.

    Raises:
      ValueError: if they are not graphs, have more than 39 nodes, or need too much memory.
    """
    types, adjacency = graphs.unpack(vectors)
    sizes = graphs.sizes(vectors)
    graphs.check(np.minimum(vectors, 1), 1, 1)
    if len(sizes) and sizes.max() > _MOST_NODES:
        raise ValueError(
            f"vectors: expected at most {_MOST_NODES} nodes, got {sizes.max()} in row "
            f"{sizes.argmax()}"
        )
    numbers = np.zeros(len(sizes), np.int64)
    for row, size in enumerate(sizes.tolist()):
        i, j = (side.tolist() for side in np.nonzero(np.triu(adjacency[row])))
        numbers[row], _ = _count(_neighbours(size, i, j), None)
    return numbers


def log_prob(vectors: np.ndarray) -> np.ndarray:
    """Log-probability of the colours given the graph when all proper colourings are equally likely.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.

    Returns:
      Nats, float64 `[n]`: minus the logarithm of the number of proper colourings, or -inf if the
      colouring is not proper.

    Raises:
      ValueError: as `valid` and `counts`.
    """
    proper = valid(vectors)
    numbers = np.where(proper, counts(vectors), 1)
    return np.where(proper, -np.log(numbers), -np.inf)


def _neighbours(size: int, i: list[int], j: list[int]) -> list[int]:
    """The neighbours of each node as the bits of an integer."""
    neighbours = [0] * size
    for a, b in zip(i, j, strict=True):
        neighbours[a] |= 1 << b
        neighbours[b] |= 1 << a
    return neighbours


def _connected_not_bipartite(neighbours: list[int]) -> bool:
    """Whether a path leads from node 0 to each node, and an edge joins two of equal distance."""
    seen, level, odd_cycle = 1, 1, False
    while level:
        reached, rest = 0, level
        while rest:
            node = (rest & -rest).bit_length() - 1
            rest &= rest - 1
            reached |= neighbours[node]
            odd_cycle |= bool(neighbours[node] & level)
        level = reached & ~seen
        seen |= level
    return odd_cycle and seen == (1 << len(neighbours)) - 1


def _count(neighbours: list[int], rng: np.random.Generator | None) -> tuple[int, np.ndarray | None]:
    """Number of proper colourings, and one of them (None if there is none).

    Nodes get their colours one after another. The border is the set of coloured nodes that still
    have an uncoloured neighbour. Partial colourings that agree on the border can be completed in
    the same ways, so one of them is kept, with the number of all that it stands for. It is drawn in
    proportion to those numbers, and is therefore uniform among all that it stands for. At the end
    one is left, uniform among all proper colourings. All numbers are integers, so this is exact.

    Args:
      neighbours: of each node, as bits.
      rng: draws the colouring; None: any.

    Returns:
      The number and colours `[nodes]`, 1 to 3.
    """
    size = len(neighbours)
    colours = np.zeros([1, size], np.int8)
    numbers = np.ones(1, np.int64)
    border: list[int] = []
    coloured = 0
    for _ in range(size):
        node, next_border = _next(neighbours, coloured, border)
        coloured |= 1 << node
        colours = colours.repeat(COLOURS, axis=0)
        colours[:, node] = np.resize(range(1, COLOURS + 1), len(colours))
        near = [other for other in border if neighbours[node] >> other & 1]
        proper = (colours[:, near] != colours[:, [node]]).all(1)
        colours, numbers = colours[proper], numbers.repeat(COLOURS)[proper]
        if not len(numbers):
            return 0, None
        if len(numbers) > _MOST_PARTIAL:
            raise ValueError(
                f"graphs: expected at most {_MOST_PARTIAL:,} partial colourings at a time, got "
                f"{len(numbers):,} of a graph of {size} nodes"
            )
        if len(next_border) <= len(border):  # else the border has only grown, and all differ
            colours, numbers = _merge(colours, numbers, next_border, rng)
        border = next_border
    return int(numbers[0]), colours[0]


def _next(neighbours: list[int], coloured: int, border: list[int]) -> tuple[int, list[int]]:
    """The uncoloured node that leaves the smallest border, and that border."""
    best = None
    for node, bits in enumerate(neighbours):
        if coloured >> node & 1:
            continue
        left = ~(coloured | 1 << node)
        after = [other for other in (*border, node) if neighbours[other] & left]
        # Among equals take the one with the most coloured neighbours, which leaves fewest states.
        key = (len(after), -(bits & coloured).bit_count())
        if best is None or key < best[0]:
            best = key, node, after
    return best[1:]


def _merge(
    colours: np.ndarray, numbers: np.ndarray, border: list[int], rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Keeps one of the partial colourings that agree on the border, with their sum of numbers."""
    codes = (colours[:, border] - 1) @ COLOURS ** np.arange(len(border))
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    sums = np.add.reduceat(numbers[order], starts)
    if rng is None:
        return colours[order[starts]], sums
    ends = numbers[order].cumsum()
    drawn = rng.integers(sums) + np.append(0, sums.cumsum()[:-1])
    return colours[order[np.searchsorted(ends, drawn, side="right")]], sums
