"""RealNVP on ImageNet 64 x 64, of the paper's size."""

from zoo.configs import default
from zoo.configs.realnvp import PAPER


def get_config():
    return default.get_config(
        name="realnvp_imagenet64",
        summary="RealNVP on ImageNet 64 x 64, of the paper's size.",
        family="ImageRealNVP",
        model={"scales": 5, "width": 32, "blocks": 2},
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
            "batch_size": 64,
            "learning_rate": 0.001,
            "schedule": "constant",
            "clip_norm": 100.0,
            "steps": 500000,
        },
        paper=PAPER | {"result": "3.98 bits/dim"},
    )
