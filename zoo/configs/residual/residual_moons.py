"""Residual flow, on two moons."""

from zoo.configs import default
from zoo.configs.residual import PAPER


def get_config():
    return default.get_config(
        name="residual_moons",
        summary="Residual flow, trained on an unbiased log-determinant, on two moons.",
        family="ResidualFlow",
        model={"layers": 8, "hidden_units": (64, 64)},
        data={"name": "two_moons"},
        train={"steps": 3000, "learning_rate": 0.002},
        paper=PAPER,
    )
