"""Gaussian by maximum likelihood, for a table of numbers."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="gaussian_table",
        summary="Gaussian by maximum likelihood, for a table of numbers.",
        family="Gaussian",
        data={"source": "table"},
        paper={
            "title": "Anderson & Olkin, Maximum-Likelihood Estimation of the Parameters of a "
            "Multivariate Normal Distribution, 1985",
            "url": "https://doi.org/10.1016/0024-3795(85)90049-7",
        },
    )
