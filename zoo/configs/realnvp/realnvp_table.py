"""RealNVP for a table of numbers."""

from zoo.configs import default
from zoo.configs.realnvp import PAPER


def get_config():
    return default.get_config(
        name="realnvp_table",
        summary="RealNVP for a table of numbers.",
        family="RealNVP",
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
            "warmup": 200,
            "eval_every": 250,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )
