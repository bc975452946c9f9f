"""Glow on 20,000 images of CIFAR-10, small; `python -m zoo.datasets.cifar10_20k` makes the set."""

from zoo.configs import default
from zoo.configs.glow import PAPER


def get_config():
    return default.get_config(
        name="glow_cifar10_small",
        summary="Glow on 20,000 images of CIFAR-10, small.",
        family="Glow",
        model={
            "levels": 3,
            "steps": 8,
            "width": 64,
            "bound": 1.0,
        },
        data={"source": "tfds", "name": "cifar10_20k", "height": 32, "width": 32, "channels": 3},
        train={
            "batch_size": 32,
            "optimizer": "adam",
            "learning_rate": 0.002,
            "warmup": 200,
            "clip_norm": 100.0,
            "ema": 0.999,
            "eval_every": 1000,
            "steps": 16_000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER | {"result": "3.35 bits/dim"},
    )
