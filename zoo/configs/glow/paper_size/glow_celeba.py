"""Glow on CelebA 64 x 64 at 5 bits."""

from zoo.configs import default
from zoo.configs.glow import PAPER


def get_config():
    return default.get_config(
        name="glow_celeba",
        summary="Glow on CelebA 64 x 64 at 5 bits.",
        family="Glow",
        model={"levels": 4, "steps": 32, "width": 512, "coupling": "sigmoid", "bits": 5},
        data={
            "source": "tfds",
            "name": "celeb_a",
            "height": 64,
            "width": 64,
            "channels": 3,
            "crop": "148",
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
        paper=PAPER,
    )
