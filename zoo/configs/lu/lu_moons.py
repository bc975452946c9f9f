"""Linear flow by LU factors, on two moons: the best Gaussian again."""

from zoo.configs import default
from zoo.configs.lu import PAPER


def get_config():
    return default.get_config(
        name="lu_moons",
        summary="Linear flow by LU factors, on two moons: the best Gaussian again.",
        family="LUFlow",
        data={"name": "two_moons"},
        train={"steps": 2000, "learning_rate": 0.01, "steps_per_execution": 100},
        paper=PAPER,
    )
