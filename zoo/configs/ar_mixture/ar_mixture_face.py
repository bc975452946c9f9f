"""2-D autoregressive flow of five-Gaussian mixtures, on the face."""

from zoo.configs import default
from zoo.configs.ar_mixture import PAPER


def get_config():
    return default.get_config(
        name="ar_mixture_face",
        summary="2-D autoregressive flow of five-Gaussian mixtures, on the face.",
        family="AutoregressiveMixture",
        model={"components": 5, "hidden_units": (64, 64)},
        data={"name": "face"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper=PAPER,
    )
