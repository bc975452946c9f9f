"""Product of a histogram for each column of a table of numbers."""

from zoo.configs import default
from zoo.configs.histogram import PAPER


def get_config():
    return default.get_config(
        name="histogram_table",
        summary="Product of a histogram for each column of a table of numbers.",
        family="Histogram",
        candidates={"bins": (8, 16, 32, 64, 128, 256, 512)},
        data={"source": "table"},
        paper=PAPER,
    )
