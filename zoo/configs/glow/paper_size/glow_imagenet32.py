"""Glow on ImageNet 32 x 32, of the paper's size."""

from zoo.configs import default
from zoo.configs.glow import PAPER


def get_config():
    return default.get_config(
        name="glow_imagenet32",
        summary="Glow on ImageNet 32 x 32, of the paper's size.",
        family="Glow",
        model={"levels": 3, "steps": 48, "width": 512, "coupling": "sigmoid"},
        data={
            "source": "tfds",
            "name": "downsampled_imagenet/32x32",
            "height": 32,
            "width": 32,
            "channels": 3,
        },
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
        paper=PAPER | {"result": "4.09 bits/dim"},
    )
