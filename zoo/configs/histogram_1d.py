"""Histogram on the line."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="histogram_1d",
        summary="Histogram on the line.",
        family="Histogram",
        candidates={"bins": (16, 32, 64, 128, 256, 512)},
        data={"name": "mixture_1d"},
        paper={
            "title": "Freedman & Diaconis, On the Histogram as a Density Estimator, 1981",
            "url": "https://doi.org/10.1007/BF01025868",
        },
    )
