"""The entries that every config has, and their defaults."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ml_collections import ConfigDict, config_dict

from zoo import families

if TYPE_CHECKING:
    from tfflows import models

# What `--help` says about the entries of a config.
MEANINGS = {
    "model.family": "Class in tfflows.models.",
    "model.args.base": "Distribution of the latents.",
    "model.args.standardize": "Standardise inside the model, by the mean and deviation of the training rows.",
    "model.args.dequantize": "Add noise of one step to columns with repeated values, to give each step a probability.",
    "model.args.marginals": "Bins of the splines that first map each column to a normal; 0 for none.",
    "model.args.dropout": "Dropout rate of the networks in training. By default 0.2 for a table "
    "with fewer than 5,000 training rows, 0.1 with fewer than 10,000, else 0.",
    "data.source": "toy, target (an unnormalised density), table, text, smiles (molecules), tfds or "
    "images.",
    "data.name": "Name of the toy, the target or the TFDS data set.",
    "data.path": "Your table (.csv, .tsv, .gz of these, .npy, .npz, .parquet), text (.txt, .gz), "
    "molecules (.smi, .csv, .gz of these) or images (a folder, .npy, .npz).",
    "data.data_dir": "Folder of TFDS data sets.",
    "data.size": "Number of training rows drawn from a toy.",
    "data.drop_constant": "Leave out the constant columns of a table.",
    "data.header": "Whether the first line of a text file holds names: auto, yes or no.",
    "data.keep_identifiers": "Also model columns that number or name the rows of a table.",
    "data.length": "Characters of text in a row.",
    "data.height": "Height to crop and resize images to; 0 leaves them as they are.",
    "data.width": "Width to crop and resize images to; 0 leaves them as they are.",
    "data.channels": "1 for grey images, 3 for colour; 0 chooses 3 if any image has colour.",
    "data.crop": "How images are cropped: center, none or the side of a square.",
    "data.resize": "How images are resized: area or none.",
    "train.steps": "Steps of the run; raise it to continue a finished run.",
    "train.batch_size": "Rows per step, over all replicas.",
    "train.optimizer": "adam, adamax, adamw, lion, muon, nadam, rmsprop or sgd.",
    "train.learning_rate": "Peak learning rate.",
    "train.schedule": "cosine (to 0 at the last step) or constant.",
    "train.warmup": "Steps over which the learning rate rises from 0.",
    "train.weight_decay": "Decoupled weight decay; 0 for none.",
    "train.momentum": "Momentum of sgd and rmsprop.",
    "train.clip_norm": "Largest norm of the gradient; 0 for no limit.",
    "train.ema": "Momentum of a moving average of the weights, which is validated and kept; 0 for none.",
    "train.seed": "Seed of initial weights, batch order and training noise.",
    "train.eval_every": "Steps between validations.",
    "train.checkpoint_every": "Steps between checkpoints; 0 for one at every validation.",
    "train.patience": "Steps without a better validation before training stops; 0 for no limit. "
    "By default 8 validations for a table, and no limit for other data.",
    "train.jit_compile": "Compile the training step with XLA.",
    "train.steps_per_execution": "Largest number of steps in one call of TensorFlow.",
}


# Entries that a table's config may leave open, with pairs `(limit, value)`: a table with fewer
# training rows than the limit gets the value.
_BY_ROWS = {"model.args.dropout": ((5_000, 0.2), (10_000, 0.1), (float("inf"), 0.0))}


def open_entry(kind: type = float) -> config_dict.FieldReference:
    """A placeholder for a number that the data determine, such as `settle` by their rows."""
    return config_dict.placeholder(kind)


def settle(config: ConfigDict, rows: int) -> ConfigDict:
    """Returns the config with a value for each entry that it leaves open.

    Args:
      config: the config.
      rows: the number of training rows.
    """
    config = config.copy_and_resolve_references()
    for entry, choices in _BY_ROWS.items():
        *path, last = entry.split(".")
        values = functools.reduce(lambda part, key: part[key], path, config)
        if last in values and values[last] is None:
            values[last] = next(value for below, value in choices if rows < below)
    return config


def family(name: str) -> type[models.DensityModel]:
    """The class of a family of models, which plain values describe.

    Raises:
      ValueError: if there is no family of that name.
    """
    arguments(name)
    from tfflows import models

    return getattr(models, name)


def arguments(name: str) -> dict:
    """Every argument of a family with its default, so that each can be set by flag.

    Raises:
      ValueError: if there is no family of that name.
    """
    return families.default_arguments(name)


def get_config(
    name: str,
    summary: str,
    family: str,
    model: dict | None = None,
    data: dict | None = None,
    train: dict | None = None,
    paper: dict | None = None,
    candidates: dict | None = None,
) -> ConfigDict:
    """The config of a model.

    Args:
      name: name of the model.
      summary: what it is, in a sentence.
      family: class in `tfflows.models`.
      model: arguments of the family that differ from its defaults.
      data: entries of `data` that differ from the defaults below.
      train: entries of `train` that differ from the defaults below.
      paper: `title`, `url`, and `result`: the paper's own number on these data, if it has one.
      candidates: arguments of a family that is estimated (see `zoo.candidates`), each with a tuple of
        values. Validation chooses among them, and they are not entries of `model.args`.
    """
    config = ConfigDict()
    config.name = name
    config.summary = summary

    config.model = ConfigDict()
    config.model.family = family
    config.model.args = ConfigDict(arguments(family))

    config.data = ConfigDict()
    config.data.source = "toy"  # or target, table, text, smiles, tfds, images
    config.data.name = config_dict.placeholder(str)  # name of the toy, the target or the TFDS set
    # A table (.csv, .tsv, .gz of these, .npy, .npz, .parquet), text, or images (a folder, .npz, .npy).
    config.data.path = config_dict.placeholder(str)
    config.data.data_dir = config_dict.placeholder(str)  # folder of TFDS sets
    config.data.size = 1_000_000  # rows drawn from a toy to train on
    config.data.header = "auto"  # whether a text file's first line holds names: auto, yes, no
    config.data.drop_constant = False  # leave out a table's constant columns
    config.data.keep_identifiers = False  # also take columns that number or name the rows
    config.data.length = 0  # characters of text in a row
    config.data.height = 0  # images are cropped and resized to this; 0: left as they are
    config.data.width = 0
    config.data.channels = 0  # 1 or 3
    config.data.crop = "center"  # for a user's images: center, none or the side of a square
    config.data.resize = "area"  # or none

    config.train = ConfigDict()
    config.train.steps = 4000
    config.train.batch_size = 512  # over all replicas
    config.train.optimizer = "adam"
    config.train.learning_rate = 1e-3
    config.train.schedule = "cosine"  # or constant
    config.train.warmup = 0
    config.train.weight_decay = 0.0
    config.train.momentum = 0.9  # for sgd and rmsprop
    config.train.clip_norm = 5.0  # 0 for none
    # Momentum of the weights' moving average, which is validated and kept; 0 for none. A short run
    # uses less momentum, so that the average covers a twelfth of its steps.
    config.train.ema = 0.0
    config.train.seed = 0
    config.train.eval_every = 500
    config.train.checkpoint_every = 0  # 0: at every validation
    # Steps without a better validation before stopping; 0: never. None: see `zoo.train`.
    config.train.patience = config_dict.placeholder(int)
    config.train.jit_compile = True
    config.train.steps_per_execution = 50

    config.paper = ConfigDict({"title": "", "url": "", "result": ""})

    if (data or {}).get("source") == "table":
        # Every table of numbers needs both: columns have any unit, and their values may repeat.
        for name in ("standardize", "dequantize"):
            if name in config.model.args:
                config.model.args[name] = True
    if candidates:
        for argument in candidates:
            del config.model.args[argument]
        config.model.candidates = ConfigDict(candidates)
    config.model.args.update(model or {})
    config.data.update(data or {})
    config.train.update(train or {})
    config.paper.update(paper or {})
    return config.lock()
