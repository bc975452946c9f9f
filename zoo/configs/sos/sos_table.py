"""Sum-of-squares polynomial flow for a table of numbers."""

from zoo.configs import default
from zoo.configs.sos import PAPER


def get_config():
    return default.get_config(
        name="sos_table",
        summary="Sum-of-squares polynomial flow for a table of numbers.",
        family="SOSFlow",
        model={"layers": 5, "linear": "lu", "hidden_units": (128, 128)},
        data={"source": "table"},
        train={
            "steps": 4000,
            "batch_size": 256,
            "learning_rate": 0.001,
            "warmup": 500,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper=PAPER,
    )
