"""Continuous flow with a free-form vector field, for a table of numbers."""

from zoo.configs import default
from zoo.configs.ffjord import PAPER


def get_config():
    return default.get_config(
        name="ffjord_table",
        summary="Continuous flow with a free-form vector field, for a table of numbers.",
        family="FFJORD",
        model={"hidden_units": (64, 64, 64)},
        data={"source": "table"},
        train={
            "steps": 5000,
            "batch_size": 256,
            "learning_rate": 0.003,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
