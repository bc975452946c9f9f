"""RealNVP with ActNorm, on two moons."""

from zoo.configs import default
from zoo.configs.realnvp import PAPER


def get_config():
    return default.get_config(
        name="realnvp_moons",
        summary="RealNVP with ActNorm, on two moons.",
        family="RealNVP",
        model={"layers": 8, "hidden_units": (64, 64)},
        data={"name": "two_moons"},
        train={"steps": 6000, "learning_rate": 0.001},
        paper=PAPER,
    )
