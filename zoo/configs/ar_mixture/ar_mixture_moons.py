"""2-D autoregressive flow of five-Gaussian mixtures, on two moons."""

from zoo.configs import default
from zoo.configs.ar_mixture import PAPER


def get_config():
    return default.get_config(
        name="ar_mixture_moons",
        summary="2-D autoregressive flow of five-Gaussian mixtures, on two moons.",
        family="AutoregressiveMixture",
        model={"components": 5, "hidden_units": (64, 64)},
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper=PAPER,
    )
