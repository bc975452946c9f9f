"""Neural autoregressive flow on two moons."""

from zoo.configs import default
from zoo.configs.naf import PAPER


def get_config():
    return default.get_config(
        name="naf_moons",
        summary="Neural autoregressive flow on two moons.",
        family="NAF",
        model={
            "layers": 4,
            "hidden_units": (64, 64),
            "units": 8,
        },
        data={"name": "two_moons"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper=PAPER,
    )
