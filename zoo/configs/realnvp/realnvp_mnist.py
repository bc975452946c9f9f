"""RealNVP on MNIST."""

from zoo.configs import default
from zoo.configs.realnvp import PAPER


def get_config():
    return default.get_config(
        name="realnvp_mnist",
        summary="RealNVP on MNIST.",
        family="ImageRealNVP",
        model={"scales": 3, "width": 16, "blocks": 2, "margin": 0.002, "bound": 2.0},
        data={"source": "tfds", "name": "mnist", "height": 28, "width": 28, "channels": 1},
        train={
            "batch_size": 32,
            "optimizer": "adam",
            "learning_rate": 0.003,
            "warmup": 200,
            "clip_norm": 100.0,
            "ema": 0.999,
            "eval_every": 1000,
            "steps": 17_000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER | {"result": "1.06 bits/dim"},
    )
