"""Pictures of models of two integers, and of sets."""

from __future__ import annotations

import os

import numpy as np

from tfflows import batches, integer_plots

_MOST = 256  # integers along an axis


def can_draw(model) -> bool:
    """Whether the model has two dimensions, with few enough integers."""
    return model.event_shape == (2,) and model.levels <= _MOST


def draw(model, rows: np.ndarray, path: str | os.PathLike, title: str) -> str:
    """Draws how often the rows and as many samples have each pair, and the model's probabilities.

    Returns:
      The path.
    """
    levels, least = model.levels, np.asarray(model.least, int)
    axes = [start + np.arange(levels) for start in least]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    probabilities = np.exp(batches.log_prob(model, grid.astype(np.int32))).reshape(levels, levels)
    samples = batches.sample(model, len(rows), seed=1)
    counts = [_shares(x, axes) for x in (rows, samples)]
    panels = {"data": counts[0], "samples": counts[1], "probabilities": probabilities}
    return integer_plots.heat_maps(panels, least, path, title)


def draw_pairs(model, rows: np.ndarray, path: str | os.PathLike, title: str) -> str:
    """Draws how often two different places have each pair of integers, in rows and in samples.

    All pairs of places count alike, as those of a set do.

    Returns:
      The path.
    """
    samples = batches.sample(model, len(rows), seed=1)
    least = int(np.min(model.least))
    axes = [least + np.arange(model.levels)] * 2
    first, second = np.nonzero(~np.eye(rows.shape[1], dtype=bool))
    panels = {
        name: _shares(np.stack([x[:, first].ravel(), x[:, second].ravel()], 1), axes)
        for name, x in (("data", rows), ("samples", np.asarray(samples)))
    }
    return integer_plots.heat_maps(panels, [least, least], path, title)


def _shares(x: np.ndarray, axes) -> np.ndarray:
    edges = [np.append(axis, axis[-1] + 1) - 0.5 for axis in axes]
    return np.histogram2d(*np.asarray(x, float).T, bins=edges)[0] / len(x)
