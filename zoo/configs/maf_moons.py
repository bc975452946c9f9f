"""Masked autoregressive flow, on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="maf_moons",
        summary="Masked autoregressive flow, on two moons.",
        family="MAF",
        model={"layers": 8, "hidden_units": (64, 64)},
        data={"name": "two_moons"},
        train={"steps": 6000, "learning_rate": 0.001},
        paper={
            "title": "Papamakarios et al., Masked Autoregressive Flow for Density Estimation, 2017",
            "url": "https://arxiv.org/abs/1705.07057",
        },
    )
