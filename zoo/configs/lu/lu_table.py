"""Linear flow by LU factors, for a table of numbers: a Gaussian."""

from zoo.configs import default
from zoo.configs.lu import PAPER


def get_config():
    return default.get_config(
        name="lu_table",
        summary="Linear flow by LU factors, for a table of numbers: a Gaussian.",
        family="LUFlow",
        data={"source": "table"},
        train={
            "steps": 2000,
            "batch_size": 256,
            "learning_rate": 0.01,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
