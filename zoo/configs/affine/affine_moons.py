"""Affine flow with a full matrix, on two moons: the best Gaussian."""

from zoo.configs import default
from zoo.configs.affine import PAPER


def get_config():
    return default.get_config(
        name="affine_moons",
        summary="Affine flow with a full matrix, on two moons: the best Gaussian.",
        family="AffineFlow",
        data={"name": "two_moons"},
        train={"steps": 2000, "learning_rate": 0.01, "steps_per_execution": 100},
        paper=PAPER,
    )
