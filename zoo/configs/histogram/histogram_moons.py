"""Histogram on a grid of bins, on two moons."""

from zoo.configs import default
from zoo.configs.histogram import PAPER


def get_config():
    return default.get_config(
        name="histogram_moons",
        summary="Histogram on a grid of bins, on two moons.",
        family="Histogram",
        candidates={"bins": (16, 32, 64, 96, 128, 192)},
        data={"name": "two_moons"},
        paper=PAPER,
    )
