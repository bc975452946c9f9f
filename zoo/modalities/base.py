"""What the commands ask of a kind of data."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from ml_collections import ConfigDict

# `--help` of a command lists the flags of every modality: TensorFlow is imported where it is used.
if TYPE_CHECKING:
    from tfflows.models import DensityModel
    from tfflows.training import Figure
    from zoo.modalities.data import Data


class Drawn(Protocol):
    """What a mode of `zoo.sample` makes.

    Attributes:
      title: what it is, in words.
      note: what there is to say of it, in lines.
    """

    title: str
    note: str

    def write(self, path) -> None:
        """Writes it to a file, atomically."""


class Modality:
    """A kind of data, with all that the commands need of it.

    A family of models names its modality (`modality = "images"`), and `zoo/modalities/<name>/` has
    a subclass as `MODALITY`. Importing that does not import TensorFlow.

    Attributes:
      sources: values of `config.data.source`, from each of which `load` can read.
      file_sources: those of them that `config.data.path` is for.
      modes: of `zoo.sample`: name to the flags that it reads.
      loss_texts: name of each figure that a loss is reported as to a format of one number.
    """

    sources: tuple[str, ...] = ()
    file_sources: tuple[str, ...] = ()
    modes: dict[str, set[str]] = {"samples": {"n", "seed", "start", "temperature"}}
    loss_texts: dict[str, str] = {}

    # Data.

    def event_shape(self, config: ConfigDict) -> tuple[int, ...] | None:
        """Shape of a row, where the config alone decides it."""
        raise NotImplementedError

    def shape_to_build(
        self, name: str, known: tuple[int, ...] | None, arguments: dict
    ) -> tuple[int, ...]:
        """Shape of a row of an untrained model.

        Args:
          name: of the model.
          known: its `event_shape`.
          arguments: of `zoo.build`; those that say a shape are taken out.

        Raises:
          ValueError: if nothing says it.
        """
        raise NotImplementedError

    def load(self, config: ConfigDict, trained: dict) -> Data:
        """The data of a config.

        Args:
          config: the config; its source is one of `sources`.
          trained: what the card of a trained model says of its data; empty for a new model.

        Raises:
          ValueError: if they are not there, or not as they should be.
        """
        raise NotImplementedError

    # Training.

    def patience(self, config: ConfigDict) -> int:
        """Steps without a better validation before training stops by default; 0 for no limit."""
        return 0

    def announcements(self, config: ConfigDict, data: Data) -> list[str]:
        """What a user is told before training, in lines."""
        return []

    def set_up(self, model: DensityModel, config: ConfigDict, data: Data) -> None:
        """Sets what a new model has from its data before training."""

    def initialize(self, model: DensityModel, data: Data) -> None:
        """Initialises a model from more rows than `fit` would take."""

    def facts(self, config: ConfigDict, data: Data) -> dict:
        """What a card says of the data besides `data.facts`."""
        return {}

    def loss_figures(self, model: DensityModel, data: Data) -> list[Figure]:
        """What a mean loss in nats is reported as besides."""
        return []

    # Pictures.

    def progress(
        self, model: DensityModel, data: Data
    ) -> Callable[[pathlib.Path, int], None] | None:
        """Draws a model at a step to a file; `None` where there is nothing to draw."""
        return None

    def pictures(self, model: DensityModel, data: Data, folder: pathlib.Path) -> list[str]:
        """Draws a trained model into a folder, and returns the paths."""
        return []

    def gallery(
        self, model: DensityModel, config: ConfigDict, folder: pathlib.Path
    ) -> Sequence[str]:
        """As `pictures`, what the documents show of a model that comes with the zoo."""
        return []

    # Test figures.

    def test(self, model: DensityModel, data: Data, rows: int | None = None) -> dict:
        """Figures of a model on test rows, the first of them: see `zoo.evaluate.evaluate`."""
        from tfflows import batches

        x, context = data.test()[:rows], data.test_context()
        log_q = batches.log_prob(model, x, None if context is None else context[:rows])
        return mean("log_likelihood", log_q) | self.test_figures(model, data, x, log_q)

    def test_figures(
        self, model: DensityModel, data: Data, x: np.ndarray, log_q: np.ndarray
    ) -> dict:
        """Figures besides the log-likelihood, of test rows and their log-densities."""
        return {}

    def describe(self, result: dict) -> list[str]:
        """Test figures, a line each."""
        return [described("mean test log-likelihood", result, "log_likelihood")]

    # Samples.

    def define_flags(self) -> None:
        """Defines the flags of `zoo.sample` that are of this kind of data alone."""

    def check_output(self, model: DensityModel, path: str) -> None:
        """Raises a ValueError if the model's samples cannot be written to a file."""
        raise NotImplementedError

    def sample(self, model: DensityModel, values, facts: dict, load: Callable[[], Data]) -> Drawn:
        """What a mode of `zoo.sample` makes.

        Args:
          model: the model.
          values: the flags, `mode` among them.
          facts: what the model's card says of its data; empty for a .keras file.
          load: gives the data of the model.
        """
        raise NotImplementedError


def mean(name: str, values: np.ndarray) -> dict:
    """Mean and two standard errors; `None` where the mean is not finite (JSON has no such)."""
    average, error = float(np.mean(values)), 2 * float(np.std(values)) / math.sqrt(len(values))
    if not math.isfinite(average):
        return {name: None, f"{name}_two_standard_errors": None}
    return {name: average, f"{name}_two_standard_errors": error}


def described(title: str, result: dict, name: str, unit: str = "nats") -> str:
    """A figure of `mean`, in words."""
    if result[name] is None:
        return f"{title}: not finite (some rows are outside of the support)"
    return f"{title}: {result[name]:.4f} +- {result[f'{name}_two_standard_errors']:.4f} {unit}"


def bound(samples: int) -> str:
    """A bound of K draws, in words."""
    return f"bound of {samples} draw{'s' if samples > 1 else ''} of noise"
