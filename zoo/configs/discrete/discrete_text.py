"""Discrete flow of text."""

from zoo.configs import default
from zoo.configs.discrete import PAPER


def get_config():
    return default.get_config(
        name="discrete_text",
        summary="Discrete flow of text.",
        family="DiscreteFlow",
        model={
            "levels": default.open_entry(int),  # the number of the text's characters
            "layers": 2,
            "autoregressive": True,
            "base": "autoregressive",
            "width": 128,
        },
        data={"source": "text", "length": 15},
        train={
            "steps": 8000,
            "batch_size": 512,
            "learning_rate": 0.003,
            "warmup": 100,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )
