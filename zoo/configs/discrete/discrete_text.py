"""Discrete flow of text."""

from zoo.configs import default
from zoo.configs.discrete import PAPER


def get_config():
    return default.get_config(
        name="discrete_text",
        summary="Discrete flow of text.",
        family="DiscreteFlow",
        model={"levels": 65, "layers": 2, "width": 256, "autoregressive": True},
        data={"source": "text", "length": 8},
        train={
            "steps": 6000,
            "batch_size": 512,
            "learning_rate": 0.003,
            "warmup": 100,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )
