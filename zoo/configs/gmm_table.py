"""Mixture of Gaussians by EM, for a table of numbers."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="gmm_table",
        summary="Mixture of Gaussians by EM, for a table of numbers.",
        family="GaussianMixture",
        candidates={"components": (10, 30, 100)},
        data={"source": "table"},
        paper={
            "title": "Dempster, Laird & Rubin, Maximum Likelihood from Incomplete Data via the EM "
            "Algorithm, 1977",
            "url": "https://doi.org/10.1111/j.2517-6161.1977.tb01600.x",
        },
    )
