"""Householder rotations with splines between them, on two moons."""

from zoo.configs import default
from zoo.configs.householder import PAPER


def get_config():
    return default.get_config(
        name="householder_moons",
        summary="Householder rotations with splines between them, on two moons.",
        family="HouseholderFlow",
        model={"layers": 8},
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.005},
        paper=PAPER,
    )
