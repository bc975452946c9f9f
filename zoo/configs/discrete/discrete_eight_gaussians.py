"""Discrete flow of eight Gaussians on a grid."""

from zoo.configs import default
from zoo.configs.discrete import PAPER


def get_config():
    return default.get_config(
        name="discrete_eight_gaussians",
        summary="Discrete flow of eight Gaussians on a grid.",
        family="DiscreteFlow",
        model={"levels": 16, "layers": 4, "width": 64},
        data={"name": "eight_gaussians", "size": 100_000},
        train={
            "steps": 3000,
            "batch_size": 256,
            "learning_rate": 0.02,
            "warmup": 100,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )
