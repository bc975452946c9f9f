"""Radial flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.radial import PAPER


def get_config():
    return default.get_config(
        name="radial_table",
        summary="Radial flow for a table of numbers.",
        family="RadialFlow",
        model={"layers": 32},
        data={"source": "table"},
        train={
            "steps": 4000,
            "batch_size": 256,
            "learning_rate": 0.005,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
