"""Mixture of Gaussians by EM, for a table of numbers."""

from zoo.configs import default
from zoo.configs.gaussian_mixture import PAPER


def get_config():
    return default.get_config(
        name="gmm_table",
        summary="Mixture of Gaussians by EM, for a table of numbers.",
        family="GaussianMixture",
        candidates={"components": (10, 30, 100)},
        data={"source": "table"},
        paper=PAPER,
    )
