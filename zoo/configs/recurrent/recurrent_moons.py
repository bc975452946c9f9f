"""Autoregressive flow by a recurrent network, on two moons."""

from zoo.configs import default
from zoo.configs.recurrent import PAPER


def get_config():
    return default.get_config(
        name="recurrent_moons",
        summary="Autoregressive flow by a recurrent network, on two moons.",
        family="RecurrentFlow",
        model={"layers": 2, "hidden_units": (64,)},
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper=PAPER,
    )
