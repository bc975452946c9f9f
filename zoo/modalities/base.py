"""The interface between the commands and a kind of data."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from ml_collections import ConfigDict

# `--help` of a command lists the flags of every modality and must be quick, so TensorFlow is
# imported only where it is used.
if TYPE_CHECKING:
    from tfflows.models import DensityModel
    from tfflows.training import Figure
    from zoo.modalities.data import Data


_FEW_PAIRS = 0.01  # of equal rows, for each row


class Drawn(Protocol):
    """The result of a mode of `zoo.sample`.

    Attributes:
      title: a description in words.
      note: remarks, one per line; empty for none.
    """

    title: str
    note: str

    def write(self, path) -> None:
        """Writes it to a file, atomically."""


class Modality:
    """A kind of data, with all that the commands need to handle it.

    A family of models names its modality (`modality = "images"`), and `zoo/modalities/<name>/` has
    an instance of a subclass, called `MODALITY`. Importing that folder does not import TensorFlow.

    Attributes:
      sources: values of `config.data.source` that `load` can read from.
      file_sources: the sources that are read from `config.data.path`.
      modes: names of the modes of `zoo.sample`, each with the flags that it reads.
      loss_texts: names of the figures that a loss is reported as, each with a format string for one
        number.
    """

    sources: tuple[str, ...] = ()
    file_sources: tuple[str, ...] = ()
    modes: dict[str, set[str]] = {"samples": {"n", "seed", "start", "temperature"}}
    loss_texts: dict[str, str] = {}

    # Data.

    def event_shape(self, config: ConfigDict) -> tuple[int, ...] | None:
        """Shape of a row, if the config alone determines it."""
        raise NotImplementedError

    def shape_to_build(
        self, name: str, known: tuple[int, ...] | None, arguments: dict
    ) -> tuple[int, ...]:
        """Shape of a row of an untrained model.

        Args:
          name: name of the model.
          known: the `event_shape` of the model.
          arguments: arguments of `zoo.build`; those that give a shape are removed.

        Raises:
          ValueError: if nothing gives the shape.
        """
        raise NotImplementedError

    def load(self, config: ConfigDict, trained: dict) -> Data:
        """The data of a config.

        Args:
          config: the config; its source is one of `sources`.
          trained: what the card of a trained model says about its data; empty for a new model.

        Raises:
          ValueError: if the data are missing or invalid.
        """
        raise NotImplementedError

    # Training.

    def patience(self, config: ConfigDict) -> int:
        """Default steps without a better validation before training stops; 0 for no limit."""
        return 0

    def announcements(self, config: ConfigDict, data: Data) -> list[str]:
        """Lines to print for the user before training."""
        return []

    def settle(self, config: ConfigDict, data: Data) -> ConfigDict:
        """Returns the config with a value for each entry that is left open for the data to set."""
        return config

    def set_up(self, model: DensityModel, config: ConfigDict, data: Data) -> None:
        """Sets what a new model takes from its data, before training."""

    def initialize(self, model: DensityModel, data: Data) -> None:
        """Initialises a model from more rows than `fit` would use."""

    def facts(self, config: ConfigDict, data: Data) -> dict:
        """What a card says about the data besides `data.facts`."""
        return {}

    def loss_figures(self, model: DensityModel, data: Data) -> list[Figure]:
        """Further figures that a mean loss in nats is reported as."""
        return []

    # Pictures.

    def progress(
        self, model: DensityModel, data: Data
    ) -> Callable[[pathlib.Path, int], None] | None:
        """A function that draws a model at a step to a file; `None` if there is nothing to draw."""
        return None

    def pictures(self, model: DensityModel, data: Data, folder: pathlib.Path) -> list[str]:
        """Draws pictures of a trained model into a folder, and returns their paths."""
        return []

    def gallery(
        self, model: DensityModel, config: ConfigDict, folder: pathlib.Path
    ) -> Sequence[str]:
        """Draws what the documents show of a model that comes with the zoo, as `pictures` does."""
        return []

    # Test figures.

    def test(self, model: DensityModel, data: Data, rows: int | None = None) -> dict:
        """Figures of a model on the first `rows` test rows: see `zoo.evaluate.evaluate`."""
        from tfflows import batches

        x, context = data.test()[:rows], data.test_context()
        log_q = batches.log_prob(model, x, None if context is None else context[:rows])
        shared = shared_noise(model, x, None if context is None else context[:rows])
        result = mean("log_likelihood", log_q, shared)
        return result | self.test_figures(model, data, x, log_q, shared)

    def test_figures(
        self, model: DensityModel, data: Data, x: np.ndarray, log_q: np.ndarray, shared: float
    ) -> dict:
        """Figures besides the log-likelihood.

        Args:
          model: the model.
          data: its data.
          x: test rows.
          log_q: their log-densities, nats.
          shared: the `shared_noise` of their mean.
        """
        return {}

    def describe(self, result: dict) -> list[str]:
        """Test figures in words, one per line."""
        return [described("mean test log-likelihood", result, "log_likelihood")]

    def contexts(self, model: DensityModel, n: int) -> np.ndarray | None:
        """Contexts for `n` rows of a conditional model: each class in turn; `None` for others."""
        if model.context_shape is None:
            return None
        return np.eye(*model.context_shape, dtype=np.float32)[np.arange(n) % model.context_shape[0]]

    # Samples.

    def define_flags(self) -> None:
        """Defines the flags of `zoo.sample` that only this kind of data has."""

    def check_output(self, model: DensityModel, path: str) -> None:
        """Raises a ValueError if the model's samples cannot be written to a file."""
        raise NotImplementedError

    def sample(self, model: DensityModel, values, facts: dict, load: Callable[[], Data]) -> Drawn:
        """Makes the result of a mode of `zoo.sample`.

        Args:
          model: the model.
          values: the flags, `mode` among them.
          facts: what the model's card says about its data; empty for a .keras file.
          load: returns the data of the model.
        """
        raise NotImplementedError


class InBits:
    """Mixin for kinds of data made of integers: figures in bits per dimension."""

    loss_texts = {"bits_per_dim": "{:.4f} bits/dim"}

    def loss_figures(self, model, data):
        """Bits per dimension."""
        from tfflows import training

        scale = data.dim * math.log(2.0)
        ((name, text),) = self.loss_texts.items()
        return [training.Figure(name, text, lambda loss: loss / scale)]

    def test_figures(self, model, data, x, log_q, shared):
        """Bits per dimension, and the number of draws of noise if it is a bound."""
        scale = data.dim * math.log(2.0)
        bits = mean("bits_per_dim", -log_q / scale, shared / scale**2)
        return bits if model.samples is None else bits | {"samples": model.samples}

    def describe(self, result):
        """As `Modality.describe`."""
        lines = super().describe(result)
        if result["bits_per_dim"] is None:
            return lines
        bits = f"{result['bits_per_dim']:.4f} +- {result['bits_per_dim_two_standard_errors']:.4f}"
        return [f"{bits} bits/dim ({bound(result.get('samples'))})", *lines]


def mean(name: str, values: np.ndarray, shared: float = 0.0) -> dict:
    """Mean and two standard errors; `None` if the mean is not finite, which JSON cannot hold.

    Args:
      name: name of the figure.
      values: `[n]`.
      shared: variance that the mean has beyond that of independent values; see `shared_noise`.
    """
    average = float(np.mean(values))
    if not math.isfinite(average):
        return {name: None, f"{name}_two_standard_errors": None}
    error = 2 * math.sqrt(float(np.var(values)) / len(values) + shared)
    return {name: average, f"{name}_two_standard_errors": error}


def shared_noise(model: DensityModel, x: np.ndarray, context: np.ndarray | None) -> float:
    """Variance of a mean of bounds that comes from equal rows, which share their noise: nats^2.

    The variance of the noise is estimated from a second bound of the rows that repeat, by other
    draws. Without such rows, or for exact log-probabilities, it is 0.
    """
    if model.samples is None or not len(x):
        return 0.0
    seen = model.seen(x) if hasattr(model, "seen") else x
    parts = [seen] if context is None else [seen, context]
    rows = np.concatenate([np.reshape(part, [len(x), -1]) for part in parts], 1)
    rows = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))
    _, first, counts = np.unique(rows.ravel(), return_index=True, return_counts=True)
    pairs = counts * (counts - 1.0)
    if pairs.sum() < _FEW_PAIRS * len(x):  # of little weight beside the variance of all rows
        return 0.0
    from tfflows import batches

    again = counts > 1
    x, context = x[first[again]], None if context is None else context[first[again]]
    one = batches.log_prob(model, x, context)
    with model.other_draws():
        other = batches.log_prob(model, x, context)
    variances = np.square(np.float64(one) - other) / 2.0
    return float(np.sum(pairs[again] * variances)) / float(len(seen)) ** 2


def described(title: str, result: dict, name: str, unit: str = "nats") -> str:
    """A figure from `mean`, in words."""
    if result[name] is None:
        return f"{title}: not finite (some rows are outside the model's support)"
    return f"{title}: {result[name]:.4f} +- {result[f'{name}_two_standard_errors']:.4f} {unit}"


def bound(samples: int | None) -> str:
    """A bound of K draws, in words; `None` for an exact figure."""
    if samples is None:
        return "exact"
    return f"bound from {samples} draw{'s' if samples > 1 else ''} of noise"
