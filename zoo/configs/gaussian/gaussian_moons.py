"""Gaussian by maximum likelihood, on two moons."""

from zoo.configs import default
from zoo.configs.gaussian import PAPER


def get_config():
    return default.get_config(
        name="gaussian_moons",
        summary="Gaussian by maximum likelihood, on two moons.",
        family="Gaussian",
        data={"name": "two_moons"},
        paper=PAPER,
    )
