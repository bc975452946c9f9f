"""Masked autoregressive flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.maf import PAPER


def get_config():
    return default.get_config(
        name="maf_table",
        summary="Masked autoregressive flow for a table of numbers.",
        family="MAF",
        model={
            "base": "logistic",
            "layers": 10,
            "linear": "lu",
            "hidden_units": (128, 128),
            "activation": "tanh",
            "dropout": default.open_entry(),
            "marginals": 24,
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
