"""Gaussian by maximum likelihood, for a table of numbers."""

from zoo.configs import default
from zoo.configs.gaussian import PAPER


def get_config():
    return default.get_config(
        name="gaussian_table",
        summary="Gaussian by maximum likelihood, for a table of numbers.",
        family="Gaussian",
        data={"source": "table"},
        paper=PAPER,
    )
