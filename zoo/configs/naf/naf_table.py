"""Neural autoregressive flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.naf import PAPER


def get_config():
    return default.get_config(
        name="naf_table",
        summary="Neural autoregressive flow for a table of numbers.",
        family="NAF",
        model={
            "layers": 5,
            "linear": "lu",
            "hidden_units": (128, 128),
            "units": 16,
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
