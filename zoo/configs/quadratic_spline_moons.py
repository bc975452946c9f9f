"""Piecewise-quadratic coupling flow on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="quadratic_spline_moons",
        summary="Piecewise-quadratic coupling flow on two moons.",
        family="NSF",
        model={
            "spline": "quadratic",
            "layers": 4,
            "hidden_units": (64, 64),
            "bins": 8,
            "bound": 4.0,
        },
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper={
            "title": "Mueller et al., Neural Importance Sampling, 2018",
            "url": "https://arxiv.org/abs/1808.03856",
        },
    )
