"""Recurrent autoregressive flow of splines for a table of numbers."""

from zoo.configs import default
from zoo.configs.recurrent import PAPER


def get_config():
    return default.get_config(
        name="recurrent_table",
        summary="Recurrent autoregressive flow of splines for a table of numbers.",
        family="RecurrentFlow",
        model={"layers": 4, "linear": "lu"},
        data={"source": "table"},
        train={
            "steps": 3000,
            "batch_size": 256,
            "learning_rate": 0.003,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
