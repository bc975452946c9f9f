"""Autoregressive neural spline flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.nsf import PAPER


def get_config():
    return default.get_config(
        name="nsf_table",
        summary="Autoregressive neural spline flow for a table of numbers.",
        family="NSF",
        model={
            "autoregressive": True,
            "layers": 6,
            "linear": "lu",
            "hidden_units": (128, 128),
            "dropout": default.open_entry(),
            "marginals": 24,
            "residual": True,
        },
        data={"source": "table"},
        train={
            "steps": 6000,
            "batch_size": 256,
            "learning_rate": 0.002,
            "ema": 0.998,
            "eval_every": 250,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )
