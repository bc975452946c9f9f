"""The data that a config names: rows to train on, to choose by, and to test on once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from tfflows.data import pipeline, sources, table, targets, toy
from zoo import registry

SOURCES = ("toy", "target", "table", "tfds")
_VALIDATION_ROWS = 10_000
_TEST_ROWS = 100_000
_EVALUATION_BATCH = 2048  # at most
# Seeds of the three sets that are drawn from a toy, so far apart that no two configs share one.
_VALIDATION_SEED, _TEST_SEED = 1 << 32, 1 << 33
# Draw numbers of a reverse-KL run: those of training come first.
_VALIDATION_DRAWS, _TEST_DRAWS = 1 << 40, 1 << 41


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """Rows, and what is known of them.

    Attributes:
      dim: length of a row.
      train, validation: rows `[n, dim]`; draw numbers `[n]` for a target.
      test: gives the test rows; called by the evaluation alone.
      facts: what a card says of the data, in plain values.
      exact: the toy density, where the data are drawn from one.
      target: the unnormalised log-density, where the model is trained on one.
      mean, std: statistics of the training rows, for a model that standardises.
      bounds: `(low, high)` of pictures, `[dim]` each.
    """

    dim: int
    train: np.ndarray
    validation: np.ndarray
    test: Callable[[], np.ndarray]
    facts: dict
    exact: toy.Toy | None = None
    target: targets.Target | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    bounds: tuple | None = None

    def training(self, config: ConfigDict) -> Callable[[int], tf.data.Dataset]:
        """From the number of the first step to the batches from there on."""
        batch, seed = config.train.batch_size, config.train.seed
        if self.target is None:
            return lambda start: pipeline.training_dataset(self.train, batch, seed, start)

        def draws(start):
            dataset = tf.data.Dataset.counter(start)
            return dataset.map(lambda step: step * batch + tf.range(batch, dtype=tf.int64))

        if batch < 1:
            raise ValueError(f"batch_size: expected 1 or more, got {batch}")
        return draws

    def validating(self) -> tf.data.Dataset:
        """The validation rows in batches."""
        # As even as can be: XLA compiles the step once more for a last batch of another size.
        batches = -(-len(self.validation) // _EVALUATION_BATCH)
        return pipeline.evaluation_dataset(self.validation, -(-len(self.validation) // batches))


def dim(config: ConfigDict) -> int | None:
    """Length of a row, where the config alone decides it."""
    if config.data.source == "toy":
        return toy.get(config.data.name).dim
    return 2 if config.data.source == "target" else None


def load(config: ConfigDict) -> Data:
    """The data of a config.

    Raises:
      ValueError: if they are not there, or not as they should be.
    """
    source = config.data.source
    if source not in SOURCES:
        raise ValueError(f"data.source: expected one of {', '.join(SOURCES)}, got {source!r}")
    return {"toy": _toy, "target": _target, "table": _table, "tfds": _tfds}[source](config)


def _toy(config: ConfigDict) -> Data:
    density, seed, size = toy.get(_need(config, "name")), config.train.seed, config.data.size
    return Data(
        dim=density.dim,
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


def _target(config: ConfigDict) -> Data:
    target = targets.get(_need(config, "name"))
    return Data(
        dim=target.dim,
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


def _table(config: ConfigDict) -> Data:
    path = _need(config, "path")
    splits = table.prepare(table.read_table(path), config.data.drop_constant)
    facts = {
        "source": "table",
        "name": os.path.basename(path),
        "sha256": registry.sha256(path),
        "split": "rows permuted by numpy.random.default_rng(0); the last 10 % are test, "
        "the last 10 % of the rest validation",
    }
    return _from_splits(splits, facts)


def _tfds(config: ConfigDict) -> Data:
    name, data_dir = _need(config, "name"), _need(config, "data_dir")
    train, validation, test = (
        sources.tfds_table(name, data_dir, part) for part in ("train[:90%]", "train[90%:]", "test")
    )
    rows = [table.as_float32(part) for part in (train, validation, test)]
    std = rows[0].std(axis=0, dtype=np.float64)
    keep = std > 0
    if not keep.all() and not config.data.drop_constant:
        first = train.columns[int(np.flatnonzero(~keep)[0])]
        raise ValueError(
            f"data: column {first!r} is constant over the training rows, as are "
            f"{int((~keep).sum()) - 1} others (data.drop_constant=True leaves them out)"
        )
    splits = table.TableSplits(
        *(part[:, keep] for part in rows),
        mean=rows[0].mean(axis=0, dtype=np.float64)[keep],
        std=std[keep],
        columns=[c for c, kept in zip(train.columns, keep, strict=True) if kept],
        dropped=[c for c, kept in zip(train.columns, keep, strict=True) if not kept],
    )
    split = "official; the last 10 % of train are validation"
    return _from_splits(splits, {"source": "tfds", "name": name, "split": split})


def _from_splits(splits: table.TableSplits, facts: dict) -> Data:
    rows = {name: len(getattr(splits, name)) for name in ("train", "validation", "test")}
    return Data(
        dim=splits.train.shape[1],
        train=splits.train,
        validation=splits.validation,
        test=lambda: splits.test,
        facts=facts | {"rows": rows, "columns": splits.columns, "dropped": splits.dropped},
        mean=splits.mean,
        std=splits.std,
    )


def _need(config: ConfigDict, key: str) -> str:
    value = config.data[key]
    if not value:
        raise ValueError(
            f"data.{key}: {config.name} needs it: --config.data.{key}=... in training, "
            f"--{key if key.startswith('data_') else 'data_' + key}=... in evaluation"
        )
    return value
