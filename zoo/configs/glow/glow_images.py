"""Glow for a folder or array of images."""

from zoo.configs import default
from zoo.configs.glow import PAPER


def get_config():
    return default.get_config(
        name="glow_images",
        summary="Glow for a folder or array of images.",
        family="Glow",
        model={"levels": 2, "steps": 16, "width": 64, "preprocessing": "logit", "bound": 1.0},
        data={"source": "images"},
        train={
            "batch_size": 64,
            "learning_rate": 0.003,
            "warmup": 200,
            "clip_norm": 100.0,
            "ema": 0.998,
            "steps": 10_000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )
