"""What the entries of `config.train` may be, checked before a command imports TensorFlow."""

from __future__ import annotations

import math

from ml_collections import ConfigDict

from zoo import choices, schema

# The least and the largest value of each number; `None`: no largest.
_RANGES = {
    "steps": (1, None),
    "batch_size": (1, None),
    "warmup": (0, None),
    "weight_decay": (0, None),
    "clip_norm": (0, None),
    "momentum": (0, 1),
    "seed": (0, choices.MAX_SEED),
    "eval_every": (1, None),
    "checkpoint_every": (0, None),
    "patience": (0, None),
    "steps_per_execution": (1, None),
}
_NAMES = {"optimizer": choices.OPTIMIZERS, "schedule": choices.SCHEDULES}


def check(config: ConfigDict) -> None:
    """Checks the numbers of a config, and the names in `config.train`.

    Raises:
      ValueError: for a value that is out of range or unknown, a number that JSON cannot hold, or
        two that contradict each other.
    """
    for key, value in schema.flat(config.to_dict()).items():
        for number in value if isinstance(value, tuple | list) else [value]:
            if isinstance(number, float) and not math.isfinite(number):
                raise ValueError(f"{key}: expected a finite number, got {number}")
    train = config.train
    for key, (low, high) in _RANGES.items():
        value = train.get(key)
        if value is None:  # left open, or an entry that an older config lacks
            continue
        if not low <= value <= (math.inf if high is None else high):
            expected = f"at least {low}" if high is None else f"{low} to {high}"
            raise ValueError(f"train.{key}: expected {expected}, got {value}")
    for key, names in _NAMES.items():
        if train[key] not in names:
            expected = ", ".join(names)
            raise ValueError(f"train.{key}: expected one of {expected}, got {train[key]!r}")
    ema = train.get("ema", 0.0)
    if not 0 <= ema < 1:
        raise ValueError(f"train.ema: expected at least 0 and below 1, got {ema}")
    if not train.learning_rate > 0:
        raise ValueError(f"train.learning_rate: expected more than 0, got {train.learning_rate}")
    if train.warmup > train.steps:
        raise ValueError(
            f"train.warmup: expected at most train.steps, {train.steps}, got {train.warmup} (such "
            f"as --config.train.warmup={train.steps // 10})"
        )
    if train.checkpoint_every and train.eval_every % train.checkpoint_every:
        raise ValueError(
            f"train.eval_every: expected a multiple of train.checkpoint_every, "
            f"{train.checkpoint_every}, got {train.eval_every}"
        )
