"""Masked autoregressive flow, on two moons."""

from zoo.configs import default
from zoo.configs.maf import PAPER


def get_config():
    return default.get_config(
        name="maf_moons",
        summary="Masked autoregressive flow, on two moons.",
        family="MAF",
        model={"layers": 8, "hidden_units": (64, 64)},
        data={"name": "two_moons"},
        train={"steps": 6000, "learning_rate": 0.001},
        paper=PAPER,
    )
