"""Glow on ImageNet 64 x 64, of the paper's size."""

from zoo.configs import default
from zoo.configs.glow import PAPER


def get_config():
    return default.get_config(
        name="glow_imagenet64",
        summary="Glow on ImageNet 64 x 64, of the paper's size.",
        family="Glow",
        model={"levels": 4, "steps": 48, "width": 512, "coupling": "sigmoid"},
        data={
            "source": "tfds",
            "name": "downsampled_imagenet/64x64",
            "height": 64,
            "width": 64,
            "channels": 3,
        },
        train={
            "optimizer": "adam",
            "jit_compile": True,
            "steps_per_execution": 20,
            "eval_every": 5000,
            "batch_size": 32,
            "learning_rate": 0.001,
            "schedule": "constant",
            "warmup": 10000,
            "clip_norm": 50.0,
            "steps": 1000000,
        },
        paper=PAPER | {"result": "3.81 bits/dim"},
    )
