"""Autoregressive flow over the last number, on two moons."""

from zoo.configs import default
from zoo.configs.recurrent import PAPER


def get_config():
    return default.get_config(
        name="finite_dependency_moons",
        summary="Autoregressive flow over the last number, on two moons.",
        family="RecurrentFlow",
        model={"layers": 2, "network": "finite", "last": 1, "hidden_units": (64, 64)},
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper=PAPER,
    )
