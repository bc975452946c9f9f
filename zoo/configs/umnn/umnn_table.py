"""Unconstrained monotonic neural network flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.umnn import PAPER


def get_config():
    return default.get_config(
        name="umnn_table",
        summary="Unconstrained monotonic neural network flow for a table of numbers.",
        family="UMNN",
        model={"layers": 3, "linear": "lu", "hidden_units": (128, 128)},
        data={"source": "table"},
        train={
            "steps": 3000,
            "batch_size": 256,
            "learning_rate": 0.002,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
