"""FFJORD, on two moons."""

from zoo.configs import default
from zoo.configs.ffjord import PAPER


def get_config():
    return default.get_config(
        name="ffjord_moons",
        summary="Continuous flow with a free-form vector field, on two moons.",
        family="FFJORD",
        model={"hidden_units": (64, 64, 64)},
        data={"name": "two_moons"},
        train={"steps": 2000, "learning_rate": 0.002},
        paper=PAPER,
    )
