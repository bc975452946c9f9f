"""Cubic-spline coupling flow on two moons."""

from zoo.configs import default
from zoo.configs.cubic_spline import PAPER


def get_config():
    return default.get_config(
        name="cubic_spline_moons",
        summary="Cubic-spline coupling flow on two moons.",
        family="NSF",
        model={
            "spline": "cubic",
            "layers": 4,
            "hidden_units": (64, 64),
            "bins": 8,
            "bound": 4.0,
        },
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper=PAPER,
    )
