"""Kinds of data: how each is loaded, drawn, sampled, tested and written.

Each kind is a folder here, with a `base.Modality` called `MODALITY`. A family of models names its
modality.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from zoo import families
from zoo.modalities.base import Modality

if TYPE_CHECKING:
    from tfflows.models import DensityModel
    from zoo.modalities.data import Data


def names() -> list[str]:
    """Names of the modalities."""
    return [module.name for module in pkgutil.iter_modules(__path__) if module.ispkg]


def get(name: str) -> Modality:
    """The modality of that name."""
    return importlib.import_module(f"{__name__}.{name}").MODALITY


def of_config(config: ConfigDict) -> Modality:
    """The modality of a config's family."""
    return get(families.modality(config.model.family))


def of(model: DensityModel) -> Modality:
    """The modality of a model."""
    return get(model.modality)


def load(config: ConfigDict, trained: dict | None = None) -> Data:
    """The data of a config.

    Args:
      config: the config.
      trained: what the card of a trained model says about its data. If it is given, columns of a
        table are taken by their names on the card, whatever they hold, and classes of images have
        the numbers that they have on the card.

    Raises:
      ValueError: if the data are missing or invalid.
    """
    source, modality = config.data.source, of_config(config)
    if source not in modality.sources:
        raise ValueError(
            f"data.source: expected one of {', '.join(modality.sources)}, as {config.model.family} "
            f"is a model of {families.modality(config.model.family)}, got {source!r}"
        )
    if config.data.path and source not in modality.file_sources:
        raise ValueError(
            f"data.path: data of source {source!r} are not read from a file, got "
            f"{config.data.path!r}"
        )
    return modality.load(config, trained or {})
