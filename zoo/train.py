"""Trains a model from its config: `python -m zoo.train --config=nsf_moons --workdir=DIR`.

Every entry of the config is a flag (`--config.train.steps=2000`). A run that is killed and started
again with the same command resumes from the last checkpoint. The work directory holds config.json,
checkpoint.npz, best.weights.h5, metrics.jsonl, events/ (TensorBoard), pictures/, and at the end
model.weights.h5 and card.json. A model that is estimated from all rows at once instead of trained
(such as a histogram: see `zoo.candidates`) uses only the seed of `config.train`.

Examples:
  python -m zoo.train --config=nsf_moons --workdir=runs/moons
  python -m zoo.train --config=nsf_table --config.data.path=rows.csv --workdir=runs/rows
  python -m zoo.train --config=nsf_table --help  # the entries of that config
"""

from __future__ import annotations

from absl import flags
from ml_collections import config_flags

from zoo import choices, cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    config_flags.DEFINE_config_file("config", None, "Config file, or name of a zoo model.")
    flags.DEFINE_string("workdir", None, "Folder for everything that the run writes.")
    flags.DEFINE_enum("strategy", "one", choices.STRATEGIES, "Distribution strategy.")
    cli.begin("zoo.train", __doc__, ("config", "workdir"))

import json
import math
import os
import pathlib
import platform

import keras
import tensorflow as tf
from ml_collections import ConfigDict

from tfflows import __version__, files, plots, training
from tfflows.models.compiled import usable_cores
from zoo import candidates, limits, modalities, outputs, registry, schema
from zoo.configs import default
from zoo.modalities.data import Data


def train(
    config: ConfigDict,
    workdir: str | os.PathLike,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int | None = None,
) -> dict:
    """Trains the model of a config in a work directory, or resumes its training.

    Args:
      config: the config.
      workdir: the work directory, created if needed.
      strategy: the distribution strategy; by default one device.
      verbose: 0 prints nothing, 1 a line that is updated in place, 2 separate lines; by default 1
        on a terminal and 2 elsewhere.

    Returns:
      The card of the model, without a test result.

    Raises:
      ValueError: if the config, its data or the work directory is invalid, or the loss is no longer
        finite.
    """
    workdir = pathlib.Path(workdir)
    strategy = strategy or tf.distribute.get_strategy()
    limits.check(config)
    outputs.check_folder("workdir", workdir)
    modality = modalities.of_config(config)
    config = _as_begun(config, workdir)
    data = modalities.load(config)
    for line in modality.announcements(config, data):
        print(line, flush=True)
    config = modality.settle(default.settle(config, len(data.train)), data)
    config.train.patience = _patience(config, workdir)
    settings = _settings(config)
    values = stored_values(config, data.facts.get("sha256", ""))
    check_same(workdir, values)

    def build(**arguments):
        with strategy.scope():
            flow = registry.from_config(values, data.event_shape, **arguments)
            modality.set_up(flow, config, data)
        return flow

    def write_config():
        if training.is_chief(strategy):
            for folder in (workdir, workdir / "pictures"):
                folder.mkdir(parents=True, exist_ok=True)
            path = workdir / registry.CONFIG
            if path.exists() and schema.current(json.loads(path.read_text())) != values:
                # A finished run is resumed: there is no model until it finishes again.
                (workdir / registry.CARD).unlink(missing_ok=True)
            files.write_json(path, values)

    estimated = hasattr(default.family(config.model.family), "estimate")
    run = _estimate if estimated else _train
    flow, facts = run(config, data, build, write_config, workdir, settings, strategy, verbose)
    card = _card(config, flow, data, facts)
    card["data"] = card["data"] | modality.facts(config, data)
    if training.is_chief(strategy):
        card["weights_sha256"] = files.sha256(workdir / registry.WEIGHTS)
        files.write_json(workdir / registry.CARD, card)
        folder = workdir / "pictures"
        plots.training_curve(workdir / "metrics.jsonl", folder / "training.png", flow.name)
        modality.pictures(flow, data, folder)
    return card


def _train(config, data, build, write_config, workdir, settings, strategy, verbose):
    """Trains the model for the steps of the config; returns it and the facts of its training."""

    def optimizer():
        t = config.train
        rate = training.learning_rate(t.schedule, t.learning_rate, t.steps, t.warmup)
        ema = training.average_momentum(t.get("ema", 0.0), t.steps)
        return training.optimizer(t.optimizer, rate, t.weight_decay, t.momentum, t.clip_norm, ema)

    flow = build()
    dataset = data.training(config)
    modality = modalities.of(flow)
    modality.initialize(flow, data)
    write_config()
    loss_figures = modality.loss_figures(flow, data)
    result = training.fit(
        flow,
        dataset,
        data.validating(),
        workdir,
        optimizer,
        settings,
        target_log_prob=data.target,
        draw=modality.progress(flow, data),
        verbose=verbose,
        figures=loss_figures,
        names=training.Names(data.facts.get("columns"), "--config.train.learning_rate"),
    )
    loss = result.validation_loss
    return flow, {
        "training": {
            **_plain(config)["train"],
            "steps_done": result.step,
            "chosen_step": result.best_step,
            "validation_loss_nats": loss if math.isfinite(loss) else None,
            "validation": {f.name: f.of(loss) for f in loss_figures} if math.isfinite(loss) else {},
            "seconds": round(result.seconds, 1),
        }
    }


def _estimate(config, data, build, write_config, workdir, settings, strategy, verbose):
    """Returns the candidate that validation chooses, and the facts of its estimation."""
    flow, records, number = candidates.best_of(build, config, data)
    write_config()
    if training.is_chief(strategy):
        candidates.write(flow, records, workdir)
    return flow, {
        "chosen": candidates.of_config(config)[number - 1],
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
        patience=t.patience or None,
        steps_per_execution=t.steps_per_execution,
        jit_compile=t.jit_compile,
        picture_every=max(t.steps // 8, 1),
    )


def _patience(config: ConfigDict, workdir: pathlib.Path) -> int:
    """Steps without a better validation before training stops; 0 for no limit.

    If the config leaves it open, a resumed run keeps the value that it began with.
    """
    if config.train.patience is not None:
        return config.train.patience
    stored = _stored(workdir)
    found = schema.current(stored)["train"]["patience"] if stored else None
    if found is not None:
        return found
    return modalities.of_config(config).patience(config)


def _as_begun(config: ConfigDict, workdir: pathlib.Path) -> ConfigDict:
    """The config, with the defaults of the version that began the run."""
    stored = _stored(workdir)
    known = config.name in registry.names()
    default = registry.config(config.name).to_dict() if known else {}
    if not stored:
        return config
    config, replaced = schema.as_begun(config, stored, default)
    if replaced:
        values = ", ".join(f"{key}={value}" for key, value in replaced.items())
        print(
            f"an earlier version of tfflows began this run; keeping its values: {values}",
            flush=True,
        )
    return config


def _plain(config: ConfigDict) -> dict:
    """The config after a round trip through JSON."""
    return json.loads(json.dumps(config.to_dict()))


def stored_values(config: ConfigDict, data_sha256: str = "") -> dict:
    """What a work directory stores about a config and its data file."""
    return _plain(config) | {"data_sha256": data_sha256, "schema": schema.VERSION}


def check_same(workdir: pathlib.Path, values: dict) -> None:
    """Raises a ValueError if the work directory has another config than these `stored_values`.

    Entries that do not say what the model is, such as how long it trains and the words about it,
    may differ (`schema.MAY_CHANGE`).
    """
    stored = _stored(workdir)
    if not stored:
        return
    there, here = schema.flat(schema.current(stored)), schema.flat(values)
    keys = (there.keys() | here.keys()) - schema.MAY_CHANGE
    differ = [
        f"{key} is {there.get(key)!r} there and {here.get(key)!r} here"
        for key in sorted(keys)
        if there.get(key) != here.get(key)
    ]
    if differ:
        more = f"; and {len(differ) - 5} more" if len(differ) > 5 else ""
        raise ValueError(
            f"workdir: {workdir} was made with another config: {'; '.join(differ[:5])}{more} "
            "(use another folder for a new run)"
        )
    path = workdir / training.CHECKPOINT
    done = training.read_state(path)["step"] if path.exists() else 0
    if here["train.steps"] < min(done, there["train.steps"]):
        raise ValueError(
            f"train.steps: expected at least {done}, the steps that the run in {workdir} has done, "
            f"got {here['train.steps']}"
        )


def _stored(workdir: pathlib.Path) -> dict:
    """The stored config of a work directory; empty if there is none."""
    path = workdir / registry.CONFIG
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text())
    except ValueError:
        raise ValueError(f"workdir: {path} is not valid JSON") from None
    try:
        schema.current(values if isinstance(values, dict) else {})
    except ValueError as error:
        raise ValueError(f"workdir: {path}: {error}") from None
    return values


def _card(config: ConfigDict, flow, data: Data, facts: dict) -> dict:
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
    """The available devices, in words."""
    replicas = strategy.num_replicas_in_sync
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        return f"{replicas} x {name}"
    replicas = "" if replicas == 1 else f", {replicas} replicas"
    cores = usable_cores()
    return f"{cores} CPU core{'s' if cores > 1 else ''} ({platform.machine()}){replicas}"


def main() -> None:
    """Trains as the flags say."""
    strategy = training.choose(flags.FLAGS.strategy)
    card = train(flags.FLAGS.config, flags.FLAGS.workdir, strategy)
    if training.is_chief(strategy):
        facts = card["training"]
        loss = facts["validation_loss_nats"]
        what = "candidate" if "candidates" in facts else "step"
        chosen = "".join(f", {name}={value}" for name, value in card.get("chosen", {}).items())
        texts = modalities.of_config(flags.FLAGS.config).loss_texts
        others = "".join(
            f" ({texts[name].format(value)})" for name, value in facts.get("validation", {}).items()
        )
        print(
            f"{card['name']}{chosen}: {card['parameters']} parameters, "
            f"{what} {facts['chosen_step']} of {facts['steps_done']} chosen, "
            f"validation loss {'not finite' if loss is None else f'{loss:.4f} nats'}{others}, "
            f"{facts['seconds']:.0f} s\n{flags.FLAGS.workdir}"
        )


if __name__ == "__main__":
    cli.run(main)
