"""Planar flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.planar import PAPER


def get_config():
    return default.get_config(
        name="planar_table",
        summary="Planar flow for a table of numbers.",
        family="PlanarFlow",
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
