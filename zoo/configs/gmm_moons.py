"""Mixture of Gaussians by EM, on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="gmm_moons",
        summary="Mixture of Gaussians by EM, on two moons.",
        family="GaussianMixture",
        candidates={"components": (2, 5, 10, 20, 30)},
        data={"name": "two_moons", "size": 50_000},
        paper={
            "title": "Dempster, Laird & Rubin, Maximum Likelihood from Incomplete Data via the EM "
            "Algorithm, 1977",
            "url": "https://doi.org/10.1111/j.2517-6161.1977.tb01600.x",
        },
    )
