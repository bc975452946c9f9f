"""Householder rotations and splines of each dimension, for a table of numbers."""

from zoo.configs import default
from zoo.configs.householder import PAPER


def get_config():
    return default.get_config(
        name="householder_table",
        summary="Householder rotations and splines of each dimension, for a table of numbers.",
        family="HouseholderFlow",
        model={"layers": 16},
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
