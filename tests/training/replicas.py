"""Trains a small flow on one replica, two logical CPUs, or as one of two workers; saves weights.

Run as a process of its own: `python tests/training/replicas.py KIND FAMILY FOLDER`.
"""

import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

from tfflows import models, training
from tfflows.data import pipeline, toy

STEPS = 50
FAMILIES = {
    "RealNVP": lambda: models.RealNVP(dim=2, layers=2, hidden_units=(16,), actnorm=True),
    "MAF": lambda: models.MAF(dim=2, layers=2, hidden_units=(16,), actnorm=True),
}


def initialized_glow(strategy, folder: str) -> None:
    """Saves the weights of a small Glow after its initialisation, all replicas' copies of each."""
    with strategy.scope():
        flow = models.Glow((8, 8, 1), levels=2, steps=2, width=8)
    x = np.random.default_rng(0).integers(0, 200, (64, 8, 8, 1)).astype("uint8")
    flow.initialize(x)
    arrays = {}
    for number, variable in enumerate(flow.raw_variables):
        copies = getattr(variable, "values", [variable])
        assert len(copies) == strategy.num_replicas_in_sync
        arrays |= {f"{number:03d}_{i}": copy.numpy() for i, copy in enumerate(copies)}
    np.savez(pathlib.Path(folder) / "weights.npz", **arrays)


def main(kind: str, family: str, folder: str) -> None:
    """Trains a family; of Glow the initialisation alone, as its noise is of each replica's own."""
    if kind == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
    strategy = training.choose(kind)
    replicas = 1 if kind == "one" else 2
    assert strategy.num_replicas_in_sync == replicas
    if family == "Glow":
        initialized_glow(strategy, folder)
        return
    rows = toy.get("two_moons").sample(3001, 0)  # the last validation batch is odd and short
    with strategy.scope():
        flow = FAMILIES[family]()
    result = training.fit(
        flow,
        lambda start: pipeline.training_dataset(rows, 64, 0, start),
        pipeline.evaluation_dataset(rows, 512),
        folder,
        # A clip that binds: gradients have to be summed over replicas before they are clipped.
        # SGD, because Adam makes a step of full length of a gradient that is rounding alone.
        lambda: training.optimizer("sgd", 1e-2, clip_norm=0.5),
        training.Settings(steps=STEPS, checkpoint_every=25, eval_every=25, steps_per_execution=5),
        verbose=0,
    )
    if training.is_chief(strategy):
        arrays = {f"{i:03d}": variable.numpy() for i, variable in enumerate(flow.weights)}
        np.savez(pathlib.Path(folder) / "weights.npz", **arrays)
        (pathlib.Path(folder) / "result.json").write_text(json.dumps(result.validation_loss))


if __name__ == "__main__":
    main(*sys.argv[1:])
