"""Sum-of-squares polynomial flow on two moons."""

from zoo.configs import default
from zoo.configs.sos import PAPER


def get_config():
    return default.get_config(
        name="sos_moons",
        summary="Sum-of-squares polynomial flow on two moons.",
        family="SOSFlow",
        model={
            "layers": 5,
            "hidden_units": (64, 64),
        },
        data={"name": "two_moons"},
        train={"steps": 3000, "learning_rate": 0.002},
        paper=PAPER,
    )
