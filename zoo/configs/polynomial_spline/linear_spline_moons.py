"""One autoregressive layer of piecewise-linear splines, on two moons."""

from zoo.configs import default
from zoo.configs.polynomial_spline import PAPER


def get_config():
    return default.get_config(
        name="linear_spline_moons",
        summary="One autoregressive layer of piecewise-linear splines, on two moons.",
        family="NSF",
        model={
            "spline": "linear",
            "autoregressive": True,
            "layers": 1,  # slopes are constant within a bin and pass no gradient to other layers
            "hidden_units": (128, 128),
            "bins": 64,
            "bound": 4.0,
        },
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper=PAPER,
    )
