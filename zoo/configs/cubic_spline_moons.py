"""Cubic-spline coupling flow on two moons."""

from zoo.configs import default


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
        paper={
            "title": "Durkan et al., Cubic-Spline Flows, 2019",
            "url": "https://arxiv.org/abs/1906.02145",
        },
    )
