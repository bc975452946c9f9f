"""Colourings drawn from a model: figures, and files."""

from __future__ import annotations

import dataclasses
import math
import os
import pathlib

import numpy as np

from tfflows import batches, files, graph_plots
from tfflows.data import colourings, graphs
from zoo.modalities import base
from zoo.modalities.colourings import load

_MOST_PICTURED = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Draws:
    """Colourings drawn from a model.

    Attributes:
      x: coloured graphs `[n, N + N (N - 1) / 2]`, as in `tfflows.data.graphs`.
      name: name of the model.
      seed: seed of the draws.
    """

    x: np.ndarray
    name: str
    seed: int

    @property
    def title(self) -> str:
        """A description in words."""
        return f"{len(self.x)} graphs coloured by {self.name} (seed {self.seed})"

    @property
    def note(self) -> str:
        """How many are proper."""
        return f"{int(colourings.valid(self.x).sum())} of {len(self.x)} colourings are proper"

    def write(self, path: str | os.PathLike) -> None:
        """Writes a file: .png (graphs) or .npy (rows)."""
        if pathlib.Path(path).suffix.lower() == ".npy":
            files.write(path, lambda temporary: np.save(temporary, self.x))
        else:
            shown = dataclasses.replace(self, x=self.x[:_MOST_PICTURED])
            graph_plots.graph_grid(shown.x, path, shown.title)


def draw(model, n: int, seed: int, start: int, temperature: float = 1.0) -> Draws:
    """Draws graphs as the training data have them, and colours for them from a model.

    Raises:
      ValueError: as `new_graphs`.
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    if start < 0:
        raise ValueError(f"start: expected 0 or more, got {start}")
    context = new_graphs(model, n, seed, start)
    types = batches.sample(model, n, seed, start, temperature, context)
    return Draws(load.joined(np.asarray(types), context), model.name, seed)


def new_graphs(model, n: int, seed: int, start: int) -> np.ndarray:
    """Draws graphs as the training data have them, as contexts of a model.

    Raises:
      ValueError: if the model is of graphs of another size, or has other types.
    """
    dim, config = model.event_shape[0], model.get_config()
    if config["node_types"] != colourings.COLOURS or dim != load.NODES:
        raise ValueError(
            f"model: expected one of {load.NODES} nodes of {colourings.COLOURS} types, got "
            f"{dim} of {config['node_types']}"
        )
    return load.split(load.draw(n, seed + load.SAMPLES_SEED, start))[1]


def figures(model, x: np.ndarray, context: np.ndarray, log_q: np.ndarray) -> dict:
    """Figures of a model on colourings, of which all proper ones of a graph are equally likely.

    Args:
      model: the model.
      x: colours `[n, N]`.
      context: the graphs, at least `n`.
      log_q: the log-probabilities of `x`, nats `[n]`.

    Returns:
      Mean bits per node, the least possible (`entropy_bits_per_node`), the mean divergence from the
      uniform distribution in nats, and the share of proper ones among one draw for each graph.
    """
    context = context[: len(x)]
    rows = load.joined(x, context)
    scale = math.log(2.0) * graphs.sizes(rows)
    log_p = colourings.log_prob(rows)
    drawn = batches.sample(model, len(x), 0, context=context)
    possible = colourings.valid(load.joined(np.asarray(drawn), context))
    return {
        **base.mean("bits_per_node", -log_q / scale),
        "entropy_bits_per_node": float(np.mean(-log_p / scale)),
        **base.mean("kl_divergence", log_p - log_q),
        "draws": len(x),
        "possible": float(possible.mean()),
    }
