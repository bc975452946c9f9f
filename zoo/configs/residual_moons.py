"""Residual flow, on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="residual_moons",
        summary="Residual flow, trained on an unbiased log-determinant, on two moons.",
        family="ResidualFlow",
        model={"layers": 8, "hidden_units": (64, 64)},
        data={"name": "two_moons"},
        train={"steps": 3000, "learning_rate": 0.002},
        paper={
            "title": "Chen et al., Residual Flows for Invertible Generative Modeling, 2019",
            "url": "https://arxiv.org/abs/1906.02735",
        },
    )
