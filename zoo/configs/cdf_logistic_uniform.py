"""1-D flow by the CDF of a mixture of five logistics, to uniform latents."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="cdf_logistic_uniform",
        summary="1-D flow by the CDF of a mixture of five logistics, to uniform latents.",
        family="MixtureCDFFlow",
        model={"components": 5, "component": "logistic", "base": "uniform"},
        data={"name": "mixture_1d"},
        train={"steps": 3000, "learning_rate": 0.01, "eval_every": 500, "steps_per_execution": 100},
        paper={
            "title": "Ho et al., Flow++, 2019 (the mixture-of-logistics CDF map)",
            "url": "https://arxiv.org/abs/1902.00275",
        },
    )
