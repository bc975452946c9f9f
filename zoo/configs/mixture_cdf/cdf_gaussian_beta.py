"""1-D flow by the CDF of a mixture of five Gaussians, to Beta(5, 5) latents."""

from zoo.configs import default
from zoo.configs.mixture_cdf import PAPER


def get_config():
    return default.get_config(
        name="cdf_gaussian_beta",
        summary="1-D flow by the CDF of a mixture of five Gaussians, to Beta(5, 5) latents.",
        family="MixtureCDFFlow",
        model={"components": 5, "component": "normal", "base": "beta(5,5)"},
        data={"name": "mixture_1d"},
        train={"steps": 3000, "learning_rate": 0.01, "eval_every": 500, "steps_per_execution": 100},
        paper=PAPER,
    )
