"""Histogram on a grid of bins, on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="histogram_moons",
        summary="Histogram on a grid of bins, on two moons.",
        family="Histogram",
        candidates={"bins": (16, 32, 64, 96, 128, 192)},
        data={"name": "two_moons"},
        paper={
            "title": "Freedman & Diaconis, On the Histogram as a Density Estimator, 1981",
            "url": "https://doi.org/10.1007/BF01025868",
        },
    )
