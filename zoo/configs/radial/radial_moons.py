"""Radial flow, on two moons."""

from zoo.configs import default
from zoo.configs.radial import PAPER


def get_config():
    return default.get_config(
        name="radial_moons",
        summary="Radial flow, on two moons.",
        family="RadialFlow",
        model={"layers": 32},
        data={"name": "two_moons"},
        train={"steps": 6000, "learning_rate": 0.005},
        paper=PAPER,
    )
