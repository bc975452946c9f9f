"""Unconstrained monotonic neural network flow on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="umnn_moons",
        summary="Unconstrained monotonic neural network flow on two moons.",
        family="UMNN",
        model={
            "layers": 3,
            "hidden_units": (64, 64),
            "embedding": 8,
            "integrand_units": (32,),
            "nodes": 16,
        },
        data={"name": "two_moons"},
        train={"steps": 3000, "learning_rate": 0.002},
        paper={
            "title": "Wehenkel & Louppe, Unconstrained Monotonic Neural Networks, 2019",
            "url": "https://arxiv.org/abs/1908.05164",
        },
    )
