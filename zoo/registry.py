"""Models by name: their configs, weights and cards."""

from __future__ import annotations

import difflib
import importlib
import json
import os
import pathlib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from zoo import schema
from zoo.configs import default

# A command lists models and shows configs quickly: only making a model imports TensorFlow.
if TYPE_CHECKING:
    from tfflows.models import DensityModel, Flow
    from zoo.modalities.data import Data

CONFIGS = pathlib.Path(__file__).parent / "configs"
PRETRAINED = pathlib.Path(__file__).parent / "pretrained"

# Sources of data in one file of the user's, after which trained models are named.
FILES = ("table", "text", "smiles")

# The files of a trained model, in zoo/pretrained/<name> and in a work directory.
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
CARD = "card.json"

# Entries that a config and a card must have, and their types (`object`: any type, or `None`).
_CONFIG_ENTRIES = {
    **{"name": str, "model.family": str, "model.args": dict},
    **{"data.source": str, "data.size": int, "data.drop_constant": bool},
    **{"data.name": object, "data.path": object, "data.data_dir": object},
    **{"train.seed": int, "train.steps": int, "train.batch_size": int},
}
_CARD_ENTRIES = {"name": str, "dim": int, "data": dict, "weights_sha256": str}


def names(paper_size: bool = True) -> list[str]:
    """Names of the zoo's models, with or without those of the papers' sizes."""
    return sorted(name for name in _config_paths() if paper_size or not is_of_paper_size(name))


def is_of_paper_size(name: str) -> bool:
    """Whether a model has the size of its paper's, and so comes without weights."""
    return config_path(name).parent.name == "paper_size"


def config_path(name: str) -> pathlib.Path:
    """The file of the config of that name.

    Raises:
      ValueError: if there is none, with the names nearest to it.
    """
    paths = _config_paths()
    if name not in paths:
        raise ValueError(f"model: {_unknown(name, {*paths, *pretrained()})}")
    return paths[name]


def _config_paths() -> dict[str, pathlib.Path]:
    # One folder per family; what lies beside them is shared by all.
    return {path.stem: path for path in CONFIGS.glob("*/**/*.py") if path.stem != "__init__"}


def pretrained() -> list[str]:
    """Names of the trained models that come with the zoo, for `load`.

    A model of a toy has the name of its config. A config for tables, such as `maf_table`, comes
    trained on several: `maf_htru2` is trained on htru2.
    """
    return sorted(p.parent.name for p in PRETRAINED.glob(f"*/{CARD}"))


def pretrained_name(values: ConfigDict) -> str:
    """The name that a trained model of a config has in the zoo."""
    if values.data.source not in FILES:
        return values.name
    name = pathlib.Path(values.data.path).name
    stem = pathlib.Path(name[:-3] if name.lower().endswith(".gz") else name).stem
    return values.name.removesuffix(values.data.source) + stem


def config(name: str) -> ConfigDict:
    """The config of the model of that name.

    Raises:
      ValueError: if there is none; the message gives the nearest names.
    """
    place = config_path(name).relative_to(CONFIGS).with_suffix("")
    return importlib.import_module(".".join(("zoo.configs", *place.parts))).get_config()


def config_file(value: str | os.PathLike) -> pathlib.Path:
    """The file of a config, given a name of the zoo or a path.

    Args:
      value: a name, which may be one at a paper's size; or a path, absolute or relative to the
        current folder, with or without `.py`. If the current folder has no such file, a path that
        begins with `zoo/configs/` refers to the installed package.

    Raises:
      ValueError: if there is no such config; the message gives the nearest names.
    """
    text = os.fspath(value)
    if text in names():
        return config_path(text)
    path = pathlib.Path(text).expanduser()
    if path.suffix != ".py":
        path = path.with_name(f"{path.name}.py") if path.name else path
    if path.is_file():
        return path
    # What `zoo/configs/...` names in a checkout is found beside the package from anywhere, in
    # whichever folder a file of that name is.
    if CONFIGS in (CONFIGS.parent.parent / path).parents and path.stem in names():
        return config_path(path.stem)
    if text.endswith(".py") or path.parent != pathlib.Path("."):
        near = difflib.get_close_matches(path.stem, names(), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"no file {text!r}{hint}")
    raise ValueError(f"model: {_unknown(text, {*names(), *pretrained()})}")


def build(name: str, **overrides) -> Flow:
    """Makes the untrained model of that name.

    Args:
      name: name of the model.
      **overrides: arguments of its family to set (`layers=3`), including `dim` and `seed`. A
        model of a user's table needs `dim`, the number of columns; one of a user's images needs
        `shape`, `(height, width, channels)`.

    Raises:
      ValueError: for an unknown name, an argument that the family does not have, or a missing
        `dim`.
    """
    from zoo import modalities

    values = default.settle(config(name), sys.maxsize)
    modality = modalities.of_config(values)
    shape = modality.shape_to_build(name, modality.event_shape(values), overrides)
    return from_config(values.to_dict(), shape, **overrides)


def from_config(values: dict, event_shape: tuple[int, ...], **overrides) -> Flow:
    """Makes the model of a config in plain values; open entries have the family's defaults."""
    cls = default.family(values["model"]["family"])
    given = {name: value for name, value in values["model"]["args"].items() if value is not None}
    arguments = {"seed": values["train"]["seed"], **given, **overrides}
    return cls(**cls.event_arguments(event_shape), name=values["name"], **arguments)


def load(model: str | os.PathLike) -> DensityModel:
    """A trained model, ready for use.

    Args:
      model: a name (for the weights that come with the zoo), a work directory, or a `.keras` file.

    Raises:
      ValueError: if there is no such model, or its files are damaged or do not belong together.
    """
    if str(model).endswith(".keras") and os.path.isfile(model):
        return _load_keras(model)
    from tfflows import files
    from tfflows.data import by_name

    directory = find(model)
    values, facts = trained_config(directory), card(directory)
    weights = directory / WEIGHTS
    if not weights.is_file():
        raise ValueError(f"model: {directory} has no {WEIGHTS}")
    if files.sha256(weights) != facts["weights_sha256"]:
        raise ValueError(
            f"model: {weights} is damaged or belongs to another model: its sha256 differs from "
            f"the one in {CARD}"
        )
    try:
        shape = facts.get("event_shape", [facts["dim"]])
        flow = from_config(values, shape, **facts.get("chosen", {}))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"model: {directory / CONFIG} does not describe a valid model: {_first(error)}"
        ) from None
    try:
        flow.load_weights(weights)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(f"model: {weights} does not fit {CONFIG}: {_first(error)}") from None
    columns = facts["data"].get("columns")
    if columns is not None and not by_name.are_default(columns):
        flow.columns = columns
    return _finite(flow, weights)


def _load_keras(path: str | os.PathLike) -> DensityModel:
    import keras

    from tfflows.models import DensityModel

    try:
        flow = keras.saving.load_model(path)
    except Exception as error:  # Keras raises many kinds of error for a damaged file
        raise ValueError(f"model: {path} cannot be loaded by Keras: {_first(error)}") from None
    if not isinstance(flow, DensityModel):
        raise ValueError(
            f"model: expected a tfflows density in {path}, got a {type(flow).__name__}"
        )
    return _finite(flow, path)


def _finite(flow: DensityModel, path: str | os.PathLike) -> DensityModel:
    """Returns the model, or raises a ValueError if it has weights that are not finite."""
    import numpy as np

    for variable in flow.weights:
        values = variable.numpy()
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise ValueError(f"model: {path} has weights that are not finite: {variable.path}")
    return flow


def data_of(
    model: str | os.PathLike, data_path: str | None = None, data_dir: str | None = None
) -> Data:
    """The data of a trained model, or others of that kind, with the columns and classes it knows.

    Args:
      model: a name or a work directory.
      data_path, data_dir: where the data are, if not where the model's config says.

    Raises:
      ValueError: if there is no such model, its data are missing, or they lack a column of the
        model or have a class that it does not know.
    """
    from zoo import modalities

    if str(model).endswith(".keras"):
        raise ValueError(
            f"model: {model} does not say what its data are; give a name or work directory"
        )
    values = ConfigDict(trained_config(model))
    values.data.path = data_path or values.data.path
    values.data.data_dir = data_dir or values.data.data_dir
    return modalities.load(values, card(model)["data"])


def card(model: str | os.PathLike) -> dict:
    """What a trained model is and how it was made.

    Args:
      model: a name or a work directory.

    Returns:
      The card in plain values: architecture, paper, parameters, data and split, test result with
      its error, training time, hardware, seed, sha256 of the weights.
    """
    return _read(find(model) / CARD, _CARD_ENTRIES)


def trained_config(model: str | os.PathLike) -> dict:
    """The config, in plain values, that a trained model was made from.

    Entries that a config of an earlier version lacks are filled in (see `zoo.schema`).
    """
    path = find(model) / CONFIG
    values = _read(path, _CONFIG_ENTRIES)
    try:
        return schema.current(values)
    except ValueError as error:
        raise ValueError(f"model: {path}: {error}") from None


def find(model: str | os.PathLike) -> pathlib.Path:
    """The folder of a trained model, by name or path.

    Raises:
      ValueError: if there is none.
    """
    if str(model) in pretrained():
        return PRETRAINED / str(model)
    if str(model) in names():
        trained = [n for n in pretrained() if trained_config(n)["name"] == str(model)]
        loads = f"load {' or '.join(trained)}, trained from it, or " if trained else ""
        raise ValueError(
            f"model: {model} has no weights of its own; {loads}train it with python -m zoo.train "
            f"--config={model} --workdir=DIR"
        )
    directory = pathlib.Path(model)
    if not directory.exists():
        raise ValueError(f"model: {_unknown(str(model), pretrained())}")
    if not (directory / CONFIG).is_file():
        raise ValueError(f"model: expected a name or a work directory, got {str(model)!r}")
    if not (directory / CARD).is_file():
        raise ValueError(
            f"model: the training in {directory} is not finished; run it again to resume"
        )
    return directory


def _unknown(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"no model or folder {name!r}; did you mean {' or '.join(near)}?"
    return f"no model or folder {name!r}; `python -m zoo` lists the models"


def _read(path: pathlib.Path, entries: dict[str, type]) -> dict:
    """Reads a JSON file, which must hold the entries (`a.b` is `b` within `a`)."""
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"model: {path} cannot be read: {error}") from None
    for entry, kind in entries.items():
        value = values
        for key in entry.split("."):
            if not isinstance(value, dict) or key not in value:
                raise ValueError(f"model: {path} is damaged: it has no entry {entry!r}")
            value = value[key]
        if not isinstance(value, kind):
            raise ValueError(
                f"model: {path} is damaged: {entry!r} is {value!r}, not of type {kind.__name__}"
            )
    return values


def _first(error: Exception) -> str:
    """The first line of a message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
