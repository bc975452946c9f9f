"""Residual flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.residual import PAPER


def get_config():
    return default.get_config(
        name="residual_table",
        summary="Residual flow for a table of numbers.",
        family="ResidualFlow",
        model={"layers": 10, "hidden_units": (128, 128), "linear": "lu"},
        data={"source": "table"},
        train={
            "steps": 3000,
            "batch_size": 256,
            "learning_rate": 0.002,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
