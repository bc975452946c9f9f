"""Householder rotations with splines between them, on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="householder_moons",
        summary="Householder rotations with splines between them, on two moons.",
        family="HouseholderFlow",
        model={"layers": 8},
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.005},
        paper={
            "title": "Tomczak & Welling, Improving Variational Auto-Encoders using Householder Flow, 2016",
            "url": "https://arxiv.org/abs/1611.09630",
        },
    )
