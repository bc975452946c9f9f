"""Unconstrained monotonic neural network flow on two moons."""

from zoo.configs import default
from zoo.configs.umnn import PAPER


def get_config():
    return default.get_config(
        name="umnn_moons",
        summary="Unconstrained monotonic neural network flow on two moons.",
        family="UMNN",
        model={
            "layers": 5,
            "hidden_units": (64, 64),
            "embedding": 16,
            "integrand_units": (32, 32),
            "nodes": 16,
        },
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.001},
        paper=PAPER,
    )
