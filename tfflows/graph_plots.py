"""Grids of graphs with coloured nodes."""

from __future__ import annotations

import math
import os

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows.data import graphs
from tfflows.plots import save

_STEPS, _CLOSE = 1000, 1e-4  # of the layout: at most so many, until nodes move less


def graph_grid(vectors: np.ndarray, path: str | os.PathLike, title: str | None = None) -> str:
    """Draws graphs, with a colour for each type of node up to ten.

    An edge between two nodes of one type is thick and black; the others are grey.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`, as in `tfflows.data.graphs`.
      path: the PNG file.
      title: heading of the picture.

    Returns:
      The path.

    Raises:
      ValueError: if there is no graph, or rows are not graphs.
    """
    if not len(vectors):
        raise ValueError("vectors: expected at least one graph, got none")
    types, adjacency = graphs.unpack(vectors)
    graphs.check(np.minimum(vectors, 1), 1, 1)
    columns = math.ceil(math.sqrt(len(vectors)))
    rows = -(-len(vectors) // columns)
    figure = Figure(figsize=(2.2 * columns, 2.2 * rows + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes in figure.subplots(rows, columns, squeeze=False).ravel():
        axes.set_axis_off()
    for axes, kinds, edges in zip(figure.axes, types, adjacency, strict=False):
        size = int(np.count_nonzero(kinds))
        if not size:
            continue
        places = layout(edges[:size, :size])
        for i, j in zip(*np.nonzero(np.triu(edges)), strict=True):
            alike = kinds[i] == kinds[j]
            line = {"color": "black", "linewidth": 2.5} if alike else {"color": "0.7"}
            axes.plot(*places[[i, j]].T, zorder=1, **line)
        axes.scatter(
            *places.T, c=kinds[:size], cmap="tab10", vmin=1, vmax=10, s=60, zorder=2, ec="white"
        )
        low, high = places.min(0), places.max(0)
        half = np.max(high - low) / 2.0 + 0.3
        (left, bottom), (right, top) = (low + high) / 2.0 - half, (low + high) / 2.0 + half
        axes.set(aspect="equal", xlim=(left, right), ylim=(bottom, top))
    if title:
        figure.suptitle(title)
    return save(figure, path)


def layout(edges: np.ndarray) -> np.ndarray:
    """Lays out a graph in the plane: distances are about the lengths of the shortest paths.

    Args:
      edges: `[n, n]`, symmetric; other numbers than 0 are edges.

    Returns:
      float64 `[n, 2]`.

    Reference: Gansner, Koren & North, Graph Drawing by Stress Majorization, 2004.
    https://doi.org/10.1007/978-3-540-31843-9_25
    """
    size = len(edges)
    wanted = np.where(np.eye(size), 0.0, np.where(edges != 0, 1.0, np.inf))
    for middle in range(size):  # shortest paths
        wanted = np.minimum(wanted, wanted[:, [middle]] + wanted[middle])
    finite = wanted[np.isfinite(wanted)]
    wanted = np.where(np.isfinite(wanted), wanted, finite.max() + 1.0)
    weights = 1.0 / np.maximum(wanted, 1.0) ** 2 * (1.0 - np.eye(size))
    laplacian = np.diag(weights.sum(1)) - weights
    inverse = np.linalg.pinv(laplacian)
    # The start is classical scaling: the two largest axes of points with these distances.
    centre = np.eye(size) - 1.0 / size
    values, axes = np.linalg.eigh(-0.5 * centre @ wanted**2 @ centre)
    values, axes = np.append([0.0], values), np.hstack([np.zeros([size, 1]), axes])
    places = axes[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    places = places + 1e-3 * np.stack([np.cos(np.arange(size)), np.sin(np.arange(size))], 1)
    for _ in range(_STEPS):
        distances = np.linalg.norm(places[:, None] - places, axis=-1)
        pull = weights * wanted / np.maximum(distances, 1e-9) * (1.0 - np.eye(size))
        before, places = places, inverse @ ((np.diag(pull.sum(1)) - pull) @ places)
        if np.abs(places - before).max() < _CLOSE:
            break
    return places
