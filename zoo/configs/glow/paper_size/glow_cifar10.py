"""Glow on CIFAR-10, of the paper's size."""

from zoo.configs import default
from zoo.configs.glow import PAPER


def get_config():
    return default.get_config(
        name="glow_cifar10",
        summary="Glow on CIFAR-10, of the paper's size.",
        family="Glow",
        model={"levels": 3, "steps": 32, "width": 512, "coupling": "sigmoid"},
        data={"source": "tfds", "name": "cifar10", "height": 32, "width": 32, "channels": 3},
        train={
            "optimizer": "adam",
            "jit_compile": True,
            "steps_per_execution": 20,
            "eval_every": 5000,
            "batch_size": 64,
            "learning_rate": 0.001,
            "schedule": "constant",
            "warmup": 10000,
            "clip_norm": 50.0,
            "steps": 1000000,
        },
        paper=PAPER | {"result": "3.35 bits/dim"},
    )
