"""Coloured graphs, drawn afresh for each part."""

from __future__ import annotations

import functools

import numpy as np
from ml_collections import ConfigDict

from tfflows.data import colourings as coloured
from tfflows.data import graphs
from zoo.modalities.data import Data, need

NAME = "graph_colouring"
NODES = 20  # at most
_VALIDATION_ROWS, _TEST_ROWS = 2000, 5000
# The seeds of the parts, and of graphs to sample for, are far apart.
_VALIDATION_SEED, _TEST_SEED, SAMPLES_SEED = 1 << 32, 1 << 33, 3 << 32


def draw(n: int, seed: int, first: int = 0) -> np.ndarray:
    """Coloured graphs, as in `tfflows.data.graphs`: int32 `[n, N + N (N - 1) / 2]`."""
    return coloured.draw(n, seed, first, (NODES // 2, NODES)).vectors


def colourings(config: ConfigDict, test_only: bool = False) -> Data:
    """Colours of the nodes of graphs as rows, with the graphs as contexts.

    Args:
      config: the config.
      test_only: leave out training and validation rows.

    Raises:
      ValueError: if the config's data have another name, or its model another number of types.
    """
    if need(config, "name") != NAME:
        raise ValueError(f"data.name: expected {NAME}, got {config.data.name!r}")
    types = config.model.args.node_types
    if types != coloured.COLOURS:
        raise ValueError(
            f"model.args.node_types: expected {coloured.COLOURS} for {NAME}, got {types}"
        )
    seed, sizes = config.train.seed, {"train": config.data.size, "validation": _VALIDATION_ROWS}
    train, validation = (
        split(draw(0 if test_only else size, seed + offset))
        for size, offset in zip(sizes.values(), (0, _VALIDATION_SEED), strict=True)
    )
    test = functools.cache(lambda: split(draw(_TEST_ROWS, seed + _TEST_SEED)))
    return Data(
        event_shape=(NODES,),
        train=train[0],
        validation=validation[0],
        test=lambda: test()[0],
        facts={
            "source": "toy",
            "name": NAME,
            "split": "drawn afresh for each part, from its own seed",
            "rows": {**sizes, "test": _TEST_ROWS},
        },
        train_context=train[1],
        validation_context=validation[1],
        test_context=lambda: test()[1],
    )


def split(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Types of nodes, int32 `[n, N]`, and graphs without them, float32, of coloured graphs."""
    types = vectors[:, : graphs.most_nodes(vectors.shape[1])]
    context = vectors.astype(np.float32)
    context[:, : types.shape[1]] = types > 0
    return types.astype(np.int32), context


def joined(types: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Coloured graphs, the inverse of `split`: int32 `[n, N + N (N - 1) / 2]`."""
    return np.concatenate([types, context[:, types.shape[1] :]], 1).astype(np.int32)
