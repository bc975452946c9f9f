"""2-D autoregressive flow of five-Gaussian mixtures, on the face."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="ar_mixture_face",
        summary="2-D autoregressive flow of five-Gaussian mixtures, on the face.",
        family="AutoregressiveMixture",
        model={"components": 5, "hidden_units": (64, 64)},
        data={"name": "face"},
        train={"steps": 5000, "learning_rate": 0.002},
        paper={
            "title": "Germain et al., MADE: Masked Autoencoder for Distribution Estimation, 2015",
            "url": "https://arxiv.org/abs/1502.03509",
        },
    )
