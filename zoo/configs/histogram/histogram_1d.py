"""Histogram on the line."""

from zoo.configs import default
from zoo.configs.histogram import PAPER


def get_config():
    return default.get_config(
        name="histogram_1d",
        summary="Histogram on the line.",
        family="Histogram",
        candidates={"bins": (16, 32, 64, 128, 256, 512)},
        data={"name": "mixture_1d"},
        paper=PAPER,
    )
