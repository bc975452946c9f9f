"""What every config has, and what it is unless a config says otherwise."""

from __future__ import annotations

import inspect

from ml_collections import ConfigDict, config_dict

from tfflows import models

_COMMON = set(inspect.signature(models.Family.__init__).parameters) - {"base", "standardize"}


def family(name: str) -> type[models.Family]:
    """The class of a family of flows.

    Raises:
      ValueError: if there is none of that name.
    """
    families = [n for n in models.__all__ if _is_family(getattr(models, n))]
    if name not in families:
        raise ValueError(f"model.family: expected one of {', '.join(families)}, got {name!r}")
    return getattr(models, name)


def _is_family(value) -> bool:
    return issubclass(value, models.Family) and value is not models.Family


def arguments(name: str) -> dict:
    """Every argument of a family with its default, so that each can be set by flag."""
    cls = family(name)
    parameters = {
        **inspect.signature(cls.layers_of).parameters,
        **inspect.signature(cls.__init__).parameters,
    }
    values = {
        name: parameter.default
        for name, parameter in parameters.items()
        if name not in _COMMON and parameter.default is not inspect.Parameter.empty
    }
    return {"base": cls.default_base, "standardize": False} | {
        name: value for name, value in values.items() if value is not None
    }


def get_config(
    name: str,
    summary: str,
    family: str,
    model: dict | None = None,
    data: dict | None = None,
    train: dict | None = None,
    paper: dict | None = None,
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
    """
    config = ConfigDict()
    config.name = name
    config.summary = summary

    config.model = ConfigDict()
    config.model.family = family
    config.model.args = ConfigDict(arguments(family))

    config.data = ConfigDict()
    config.data.source = "toy"  # toy, target (an unnormalised density), table, tfds
    config.data.name = config_dict.placeholder(str)  # of the toy, the target, the TFDS set
    config.data.path = config_dict.placeholder(str)  # of a table: .csv, .npy, .npz, .parquet
    config.data.data_dir = config_dict.placeholder(str)  # of TFDS
    config.data.size = 1_000_000  # rows drawn from a toy to train on
    config.data.drop_constant = False  # leave out a table's constant columns

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
    config.train.seed = 0
    config.train.eval_every = 500
    config.train.checkpoint_every = 0  # 0: at every validation
    config.train.patience = 0  # steps without a better validation before stopping; 0: never
    config.train.jit_compile = True
    config.train.steps_per_execution = 50

    config.paper = ConfigDict({"title": "", "url": "", "result": ""})

    config.model.args.update(model or {})
    config.data.update(data or {})
    config.train.update(train or {})
    config.paper.update(paper or {})
    return config.lock()
