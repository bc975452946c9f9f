"""Orthogonal Sylvester flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.sylvester import PAPER


def get_config():
    return default.get_config(
        name="sylvester_table",
        summary="Orthogonal Sylvester flow for a table of numbers.",
        family="SylvesterFlow",
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
