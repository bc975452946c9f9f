"""Neural autoregressive flow on two moons."""

from zoo.configs import default


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
        paper={
            "title": "Huang et al., Neural Autoregressive Flows, 2018",
            "url": "https://arxiv.org/abs/1804.00779",
        },
    )
