"""RealNVP on CIFAR-10, of the paper's size."""

from zoo.configs import default
from zoo.configs.realnvp import PAPER


def get_config():
    return default.get_config(
        name="realnvp_cifar10",
        summary="RealNVP on CIFAR-10, of the paper's size.",
        family="ImageRealNVP",
        model={"scales": 2, "width": 64, "blocks": 8},
        data={"source": "tfds", "name": "cifar10", "height": 32, "width": 32, "channels": 3},
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
        paper=PAPER | {"result": "3.49 bits/dim"},
    )
