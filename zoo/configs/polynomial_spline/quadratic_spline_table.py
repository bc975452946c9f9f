"""Autoregressive flow of quadratic splines for a table of numbers."""

from zoo.configs import default
from zoo.configs.polynomial_spline import PAPER


def get_config():
    return default.get_config(
        name="quadratic_spline_table",
        summary="Autoregressive flow of quadratic splines for a table of numbers.",
        family="NSF",
        model={
            "spline": "quadratic",
            "autoregressive": True,
            "layers": 5,
            "linear": "lu",
            "hidden_units": (128, 128),
        },
        data={"source": "table"},
        train={
            "steps": 4000,
            "batch_size": 256,
            "learning_rate": 0.002,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
