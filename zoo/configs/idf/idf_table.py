"""Integer discrete flow for a table of whole numbers."""

from zoo.configs import default
from zoo.configs.idf import PAPER


def get_config():
    return default.get_config(
        name="idf_table",
        summary="Integer discrete flow for a table of whole numbers.",
        family="IntegerDiscreteFlow",
        model={"width": 64, "components": 8},
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
