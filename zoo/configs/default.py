"""What every config has, and what it is unless a config says otherwise."""

from __future__ import annotations

import keras
from ml_collections import ConfigDict, config_dict

from tfflows import models


def family(name: str) -> type[models.DensityModel]:
    """The class of a family of models: one that plain values describe.

    Raises:
      ValueError: if there is none of that name.
    """
    families = [n for n in models.__all__ if _is_family(getattr(models, n))]
    if name not in families:
        raise ValueError(f"model.family: expected one of {', '.join(families)}, got {name!r}")
    return getattr(models, name)


def _is_family(value) -> bool:
    """Whether a model tells its arguments, and Keras knows it, as the base classes are not."""
    registered = keras.saving.get_registered_name(value) != value.__name__
    return registered and hasattr(value, "default_arguments")


def arguments(name: str) -> dict:
    """Every argument of a family with its default, so that each can be set by flag."""
    return family(name).default_arguments()


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
      data: entries of `data` that differ from those below.
      train: entries of `train` that differ from those below.
      paper: `title`, `url`, and `result`: the paper's own number on these data, where it has one.
      candidates: arguments of a family that is estimated (see `zoo.estimate`), each with the tuple
        of values that validation chooses among; they are then no entries of `model.args`.
    """
    config = ConfigDict()
    config.name = name
    config.summary = summary

    config.model = ConfigDict()
    config.model.family = family
    config.model.args = ConfigDict(arguments(family))

    config.data = ConfigDict()
    config.data.source = "toy"  # toy, target (an unnormalised density), table, tfds, images
    config.data.name = config_dict.placeholder(str)  # of the toy, the target, the TFDS set
    # Of a table: .csv, .tsv (or .gz of these), .npy, .npz, .parquet. Of images: a folder, .npz, .npy.
    config.data.path = config_dict.placeholder(str)
    config.data.data_dir = config_dict.placeholder(str)  # of TFDS
    config.data.size = 1_000_000  # rows drawn from a toy to train on
    config.data.header = "auto"  # whether a text file's first line holds names: auto, yes, no
    config.data.drop_constant = False  # leave out a table's constant columns
    config.data.keep_identifiers = False  # take columns that number or name a table's rows, too
    config.data.height = 0  # of images: what they are cropped and resized to; 0: as they are
    config.data.width = 0
    config.data.channels = 0  # 1 or 3
    config.data.crop = "center"  # of a user's images: center, none or the side of a square
    config.data.resize = "area"  # or none

    config.train = ConfigDict()
    config.train.steps = 4000
    config.train.batch_size = 512  # over all replicas
    config.train.optimizer = "adam"
    config.train.learning_rate = 1e-3
    config.train.schedule = "cosine"  # or constant
    config.train.warmup = 0
    config.train.weight_decay = 0.0
    config.train.momentum = 0.9  # of sgd and rmsprop
    config.train.clip_norm = 5.0  # 0 for none
    # Momentum of the weights' moving average, which is what is validated and kept; 0 for none. A
    # short run has less: its average goes back over a twelfth of the steps.
    config.train.ema = 0.0
    config.train.seed = 0
    config.train.eval_every = 500
    config.train.checkpoint_every = 0  # 0: at every validation
    config.train.patience = 0  # steps without a better validation before stopping; 0: never
    config.train.jit_compile = True
    config.train.steps_per_execution = 50

    config.paper = ConfigDict({"title": "", "url": "", "result": ""})

    if candidates:
        for argument in candidates:
            del config.model.args[argument]
        config.model.candidates = ConfigDict(candidates)
    config.model.args.update(model or {})
    config.data.update(data or {})
    config.train.update(train or {})
    config.paper.update(paper or {})
    return config.lock()
