"""1-D flow by the CDF of a mixture of five logistics, to standard normal latents."""

from zoo.configs import default
from zoo.configs.mixture_cdf import PAPER_OF_LOGISTICS


def get_config():
    return default.get_config(
        name="cdf_logistic_normal",
        summary="1-D flow by the CDF of a mixture of five logistics, to standard normal latents.",
        family="MixtureCDFFlow",
        model={"components": 5, "component": "logistic", "base": "normal"},
        data={"name": "mixture_1d"},
        train={"steps": 3000, "learning_rate": 0.01, "eval_every": 500, "steps_per_execution": 100},
        paper=PAPER_OF_LOGISTICS,
    )
