"""Rows drawn from toy densities, and unnormalised densities to fit by reverse KL divergence."""

from __future__ import annotations

import numpy as np
from ml_collections import ConfigDict

from tfflows.data import targets, toy
from zoo.modalities.data import Data, need

_VALIDATION_ROWS = 10_000
_TEST_ROWS = 100_000
# The seeds of a toy's three sets are so far apart that no two configs share one.
_VALIDATION_SEED, _TEST_SEED = 1 << 32, 1 << 33
# First draw numbers for validation and test in a reverse-KL run; training starts at 0.
_VALIDATION_DRAWS, _TEST_DRAWS = 1 << 40, 1 << 41


def load_toy(config: ConfigDict) -> Data:
    """Rows of a toy, drawn afresh for each part."""
    return drawn(config, toy.get(need(config, "name")))


def drawn(config: ConfigDict, density) -> Data:
    """The parts of a density, which has the methods and attributes of a `toy.Toy`."""
    seed, size = config.train.seed, config.data.size
    return Data(
        event_shape=(density.dim,),
        train=density.sample(size, seed),
        validation=density.sample(_VALIDATION_ROWS, seed + _VALIDATION_SEED),
        test=lambda: density.sample(_TEST_ROWS, seed + _TEST_SEED),
        facts={
            "source": "toy",
            "name": density.name,
            "split": "drawn afresh for each part, from its own seed",
            "rows": {"train": size, "validation": _VALIDATION_ROWS, "test": _TEST_ROWS},
            "entropy_nats": density.entropy,
        },
        exact=density,
        bounds=density.bounds,
    )


def load_target(config: ConfigDict) -> Data:
    """A target, with the numbers of the model's own draws in place of rows."""
    target = targets.get(need(config, "name"))
    return Data(
        event_shape=(target.dim,),
        train=np.zeros([0], np.int64),
        validation=_VALIDATION_DRAWS + np.arange(_VALIDATION_ROWS),
        test=lambda: _TEST_DRAWS + np.arange(_TEST_ROWS),
        facts={
            "source": "unnormalised density, trained by reverse KL divergence",
            "name": target.name,
            "split": "the model's own draws, numbered: training, validation and test share none",
            "rows": {
                "train": config.train.steps * config.train.batch_size,
                "validation": _VALIDATION_ROWS,
                "test": _TEST_ROWS,
            },
            "log_normalizer_nats": target.log_normalizer,
        },
        target=target,
        bounds=target.bounds,
    )
