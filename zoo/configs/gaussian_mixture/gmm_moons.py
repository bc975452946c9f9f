"""Mixture of Gaussians by EM, on two moons."""

from zoo.configs import default
from zoo.configs.gaussian_mixture import PAPER


def get_config():
    return default.get_config(
        name="gmm_moons",
        summary="Mixture of Gaussians by EM, on two moons.",
        family="GaussianMixture",
        candidates={"components": (2, 5, 10, 20, 30)},
        data={"name": "two_moons", "size": 50_000},
        paper=PAPER,
    )
