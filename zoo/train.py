"""Trains a model from its config: `python -m zoo.train --config=nsf_moons --workdir=DIR`.

Every entry of the config is a flag (`--config.train.steps=2000`). Killed and started again with
the same command, it goes on from the last checkpoint. The work directory holds config.json,
checkpoint.npz, best.weights.h5, metrics.jsonl, events/ (TensorBoard), pictures/, and at the end
model.weights.h5 and card.json. A model that is not trained but estimated from all rows at once (a
histogram, say: see `zoo.estimate`) takes of `config.train` the seed alone.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import platform

import keras
import tensorflow as tf
from absl import flags
from ml_collections import ConfigDict, config_flags

from tfflows import __version__, training
from tfflows.models.family import MAX_SEED
from tfflows.training.strategy import NAMES
from zoo import command, datasets, estimate, figures, registry
from zoo.configs import default

# Entries that a config of an earlier version lacks.
_ADDED = {"data.header", "data.keep_identifiers"}


def train(
    config: ConfigDict,
    workdir: str | os.PathLike,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int | None = None,
) -> dict:
    """Trains the model of a config in a work directory, or goes on with it.

    Args:
      config: the config.
      workdir: the work directory, made if need be.
      strategy: of distribution; by default one device.
      verbose: Keras's; by default a progress bar on a terminal.

    Returns:
      The card of the model, without a test result.

    Raises:
      ValueError: if the config, its data or the work directory are not as they should be, or the
        loss is no longer finite.
    """
    workdir = pathlib.Path(workdir)
    strategy = strategy or tf.distribute.get_strategy()
    settings = _settings(config)
    command.check_folder("workdir", workdir)
    _check_numbers(config)
    data = datasets.load(_as_begun(config, workdir))
    skipped = data.facts.get("skipped", [])
    if skipped:
        files = "1 file" if len(skipped) == 1 else f"{len(skipped)} files"
        more = "; ..." if len(skipped) > 3 else ""
        print(f"{files} skipped: {'; '.join(skipped[:3])}{more}", flush=True)
    values = written(config, data.facts.get("sha256", ""))
    check_same(workdir, values)

    def build(**arguments):
        with strategy.scope():
            flow = registry.from_config(values, data.event_shape, **arguments)
            if data.mean is not None and config.model.args.standardize:
                flow.set_standardization(data.mean, data.std)
        return flow

    def write_config():
        if training.is_chief(strategy):
            for folder in (workdir, workdir / "pictures"):
                folder.mkdir(parents=True, exist_ok=True)
            training.write_json(workdir / registry.CONFIG, values)

    estimated = hasattr(default.family(config.model.family), "estimate")
    run = _estimate if estimated else _train
    flow, facts = run(config, data, build, write_config, workdir, settings, strategy, verbose)
    card = _card(config, flow, data, facts)
    if training.is_chief(strategy):
        card["weights_sha256"] = registry.sha256(workdir / registry.WEIGHTS)
        training.write_json(workdir / registry.CARD, card)
        figures.final(flow, data, workdir)
    return card


def _train(config, data, build, write_config, workdir, settings, strategy, verbose):
    """The model after the steps of the config, and the facts of its training."""

    def optimizer():
        t = config.train
        rate = training.learning_rate(t.schedule, t.learning_rate, t.steps, t.warmup)
        ema = training.average_momentum(t.get("ema", 0.0), t.steps)
        return training.optimizer(t.optimizer, rate, t.weight_decay, t.momentum, t.clip_norm, ema)

    with strategy.scope():
        optimizer()  # its errors, before anything is written
    flow = build()
    dataset = data.training(config)
    dataset(0)
    write_config()
    result = training.fit(
        flow,
        dataset,
        data.validating(),
        workdir,
        optimizer,
        settings,
        target_log_prob=data.target,
        draw=figures.progress(flow, data),
        verbose=verbose,
    )
    loss = result.validation_loss
    return flow, {
        "training": {
            **_plain(config)["train"],
            "steps_done": result.step,
            "chosen_step": result.best_step,
            "validation_loss_nats": loss if math.isfinite(loss) else None,
            "seconds": round(result.seconds, 1),
        }
    }


def _estimate(config, data, build, write_config, workdir, settings, strategy, verbose):
    """The model of the candidate that validation chooses, and the facts of its estimation."""
    flow, records, number = estimate.estimate(build, config, data)
    write_config()
    if training.is_chief(strategy):
        estimate.write(flow, records, workdir)
    return flow, {
        "chosen": estimate.candidates(config)[number - 1],
        "training": {
            "seed": config.train.seed,
            "candidates": records,
            "steps_done": len(records),
            "chosen_step": number,
            "validation_loss_nats": records[number - 1].get("val_loss"),
            "seconds": round(sum(record["seconds"] for record in records), 3),
        },
    }


def _settings(config: ConfigDict) -> training.Settings:
    t = config.train
    if t.checkpoint_every:
        checkpoint_every, eval_every = t.checkpoint_every, t.eval_every
    else:
        checkpoint_every = eval_every = min(t.eval_every, t.steps)
    return training.Settings(
        steps=t.steps,
        checkpoint_every=checkpoint_every,
        eval_every=eval_every,
        patience=None if t.patience == 0 else t.patience,
        steps_per_execution=t.steps_per_execution,
        jit_compile=t.jit_compile,
        picture_every=max(t.steps // 8, 1),
    )


def _as_begun(config: ConfigDict, workdir: pathlib.Path) -> ConfigDict:
    """The config, with identifiers kept if the run was begun by a version that left none out."""
    path = workdir / registry.CONFIG
    if not path.exists():
        return config
    try:
        begun = _flat(json.loads(path.read_text()))
    except ValueError:  # which check_same tells of
        return config
    config = ConfigDict(config)
    if "data.source" in begun and "data.keep_identifiers" not in begun:
        config.data.keep_identifiers = True
    return config


def _plain(config: ConfigDict) -> dict:
    """The config as it is after a trip through JSON."""
    return json.loads(json.dumps(config.to_dict()))


def _check_numbers(config: ConfigDict) -> None:
    """Raises for a seed out of range, and for a number that JSON has no word for."""
    if not 0 <= config.train.seed <= MAX_SEED:
        raise ValueError(f"seed: expected 0 to {MAX_SEED}, got {config.train.seed}")
    for key, value in _flat(config.to_dict()).items():
        for number in value if isinstance(value, tuple | list) else [value]:
            if isinstance(number, float) and not math.isfinite(number):
                raise ValueError(f"{key}: expected a finite number, got {number}")


def written(config: ConfigDict, data_sha256: str = "") -> dict:
    """What a work directory keeps of a config and of the file of its data."""
    return _plain(config) | {"data_sha256": data_sha256}


def check_same(workdir: pathlib.Path, values: dict) -> None:
    """Raises ValueError if the work directory is of another config than `written`."""
    path = workdir / registry.CONFIG
    if not path.exists():
        return
    try:
        found = json.loads(path.read_text())
    except ValueError:
        raise ValueError(f"workdir: {path} is not a config") from None
    there, here = _flat(found), _flat(values)
    for key in sorted((there.keys() | here.keys()) - (_ADDED - there.keys())):
        if there.get(key) != here.get(key):
            raise ValueError(
                f"workdir: {workdir} was made with another config: {key} is "
                f"{there.get(key)!r} there and {here.get(key)!r} here"
            )


def _flat(values: dict, prefix: str = "") -> dict:
    flat = {}
    for key, value in values.items():
        inner = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if inner else {prefix + key: value}
    return flat


def _card(config: ConfigDict, flow, data: datasets.Data, facts: dict) -> dict:
    values = _plain(config)
    return {
        "name": config.name,
        "summary": config.summary,
        "architecture": values["model"],
        "paper": values["paper"],
        "dim": data.dim,
        "event_shape": list(data.event_shape),
        "parameters": int(sum(v.shape.num_elements() for v in flow.trainable_variables)),
        "data": data.facts,
        **facts,
        "training": facts["training"]
        | {
            "hardware": hardware(flow.distribute_strategy),
            "versions": {
                "tfflows": __version__,
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
                "python": platform.python_version(),
            },
        },
    }


def hardware(strategy: tf.distribute.Strategy) -> str:
    """The devices at hand, in words."""
    replicas = strategy.num_replicas_in_sync
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        return f"{replicas} x {name}"
    replicas = "" if replicas == 1 else f", {replicas} replicas"
    return f"{os.cpu_count()} CPU cores ({platform.machine()}){replicas}"


def main() -> None:
    """Trains as the flags say."""
    strategy = training.choose(flags.FLAGS.strategy)
    card = train(flags.FLAGS.config, flags.FLAGS.workdir, strategy)
    if training.is_chief(strategy):
        facts = card["training"]
        loss = facts["validation_loss_nats"]
        what = "candidate" if "candidates" in facts else "step"
        chosen = "".join(f", {name}={value}" for name, value in card.get("chosen", {}).items())
        print(
            f"{card['name']}{chosen}: {card['parameters']} parameters, "
            f"{what} {facts['chosen_step']} of {facts['steps_done']} chosen, "
            f"validation loss {'not finite' if loss is None else f'{loss:.4f} nats'}, "
            f"{facts['seconds']:.0f} s\n{flags.FLAGS.workdir}"
        )


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "Config file, or name of a zoo model.")
    flags.DEFINE_string("workdir", None, "Folder of all that the run writes.")
    flags.DEFINE_enum("strategy", "one", NAMES, "Strategy of distribution.")
    flags.mark_flags_as_required(["config", "workdir"])
    command.run(main)
