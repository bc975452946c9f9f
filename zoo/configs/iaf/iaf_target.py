"""Inverse autoregressive flow fitted to an unnormalised 2-D density by reverse KL."""

from zoo.configs import default
from zoo.configs.iaf import PAPER


def get_config():
    return default.get_config(
        name="iaf_target",
        summary="Inverse autoregressive flow fitted to an unnormalised 2-D density by reverse KL.",
        family="IAF",
        model={"layers": 8, "hidden_units": (64, 64)},
        data={"source": "target", "name": "u2"},
        train={"steps": 5000, "learning_rate": 0.001},
        paper=PAPER,
    )
