"""Linear flow by LU factors, on two moons: the best Gaussian again."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="lu_moons",
        summary="Linear flow by LU factors, on two moons: the best Gaussian again.",
        family="LUFlow",
        data={"name": "two_moons"},
        train={"steps": 2000, "learning_rate": 0.01, "steps_per_execution": 100},
        paper={
            "title": "Kingma & Dhariwal, Glow, 2018 (the LU factors of its 1x1 convolution)",
            "url": "https://arxiv.org/abs/1807.03039",
        },
    )
