"""Sum-of-squares polynomial flow on two moons."""

from zoo.configs import default


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
        paper={
            "title": "Jaini, Selby & Yu, Sum-of-Squares Polynomial Flow, 2019",
            "url": "https://arxiv.org/abs/1905.02325",
        },
    )
