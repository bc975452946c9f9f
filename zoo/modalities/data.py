"""The data of a config: rows to train on, rows to validate on, and rows to test on once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from tfflows.data import grid, pipeline, targets, toy

_EVALUATION_BATCH = 2048  # at most
_EVALUATION_IMAGES = 250


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """Rows, and what is known about them.

    Attributes:
      event_shape: shape of a row.
      train, validation: rows `[n, *event_shape]`; draw numbers `[n]` for a target.
      test: returns the test rows; only evaluation calls it.
      facts: what a card says about the data, in plain values.
      exact: the toy density, if the data are drawn from one.
      target: the unnormalised log-density, if the model is trained on one.
      mean, std: statistics of the training rows, for a model that standardises.
      cells: cells of the table columns whose values repeat, for a model that dequantizes.
      bounds: the limits `(low, high)` of pictures, `[dim]` each.
      train_context, validation_context, test_context: contexts `[n, size]` that go with the rows,
        for a conditional model; the last is a function that returns them.
    """

    event_shape: tuple[int, ...]
    train: np.ndarray
    validation: np.ndarray
    test: Callable[[], np.ndarray]
    facts: dict
    exact: toy.Toy | None = None
    target: targets.Target | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    cells: grid.Cells | None = None
    bounds: tuple | None = None
    train_context: np.ndarray | None = None
    validation_context: np.ndarray | None = None
    test_context: Callable[[], np.ndarray | None] = lambda: None

    @property
    def dim(self) -> int:
        """Numbers in a row."""
        return math.prod(self.event_shape)

    def whole(self) -> Data:
        """Returns these data with all rows in the test part."""
        x = np.concatenate([self.train, self.validation, self.test()])
        context = self.test_context()
        if context is not None:
            context = np.concatenate([self.train_context, self.validation_context, context])
        return dataclasses.replace(self, test=lambda: x, test_context=lambda: context)

    def training(self, config: ConfigDict) -> Callable[[int], tf.data.Dataset]:
        """A function from the number of the first step to the batches from that step on."""
        batch, seed = config.train.batch_size, config.train.seed
        if self.target is None:
            return lambda start: pipeline.training_dataset(
                self.train, batch, seed, start, self.train_context
            )

        def draws(start):
            dataset = tf.data.Dataset.counter(start)
            return dataset.map(lambda step: step * batch + tf.range(batch, dtype=tf.int64))

        if batch < 1:
            raise ValueError(f"batch_size: expected 1 or more, got {batch}")
        return draws

    def validating(self) -> tf.data.Dataset:
        """The validation rows in batches."""
        # Batches as even as possible: XLA compiles the step again for a last batch of another size.
        most = _EVALUATION_BATCH if len(self.event_shape) == 1 else _EVALUATION_IMAGES
        batches = -(-len(self.validation) // most)
        size = -(-len(self.validation) // batches)
        return pipeline.evaluation_dataset(self.validation, size, self.validation_context)


def need(config: ConfigDict, key: str) -> str:
    """Returns a required entry of `config.data`, or raises a ValueError that says how to set it."""
    value = config.data[key]
    if not value:
        raise ValueError(
            f"data.{key}: {config.name} needs a value; set --config.data.{key}=... to train, "
            f"--{key if key.startswith('data_') else 'data_' + key}=... to evaluate"
        )
    return value
