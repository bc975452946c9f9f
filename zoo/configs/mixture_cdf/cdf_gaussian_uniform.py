"""1-D flow by the CDF of a mixture of five Gaussians, to uniform latents."""

from zoo.configs import default
from zoo.configs.mixture_cdf import PAPER


def get_config():
    return default.get_config(
        name="cdf_gaussian_uniform",
        summary="1-D flow by the CDF of a mixture of five Gaussians, to uniform latents.",
        family="MixtureCDFFlow",
        model={"components": 5, "component": "normal", "base": "uniform"},
        data={"name": "mixture_1d"},
        train={"steps": 3000, "learning_rate": 0.01, "eval_every": 500, "steps_per_execution": 100},
        paper=PAPER,
    )
