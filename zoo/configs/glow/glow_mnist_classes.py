"""Class-conditional Glow on MNIST."""

from zoo.configs import default
from zoo.configs.glow import PAPER


def get_config():
    return default.get_config(
        name="glow_mnist_classes",
        summary="Class-conditional Glow on MNIST.",
        family="Glow",
        model={
            "classes": 10,
            "levels": 2,
            "steps": 8,
            "width": 64,
            "preprocessing": "logit",
            "margin": 0.002,
            "bound": 1.0,
        },
        data={"source": "tfds", "name": "mnist", "height": 28, "width": 28, "channels": 1},
        train={
            "batch_size": 32,
            "optimizer": "adam",
            "learning_rate": 0.0025,
            "warmup": 200,
            "clip_norm": 100.0,
            "ema": 0.999,
            "eval_every": 1000,
            "steps": 18_000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )
