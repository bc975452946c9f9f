"""Sylvester flow, Householder form, on two moons."""

from zoo.configs import default
from zoo.configs.sylvester import PAPER


def get_config():
    return default.get_config(
        name="sylvester_householder_moons",
        summary="Sylvester flow, Householder form, on two moons.",
        family="SylvesterFlow",
        model={"layers": 24, "form": "householder"},
        data={"name": "two_moons"},
        train={"steps": 6000, "learning_rate": 0.005},
        paper=PAPER,
    )
