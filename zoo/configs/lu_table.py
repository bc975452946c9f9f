"""Linear flow by LU factors, for a table of numbers: a Gaussian."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="lu_table",
        summary="Linear flow by LU factors, for a table of numbers: a Gaussian.",
        family="LUFlow",
        data={"source": "table"},
        train={
            "steps": 2000,
            "batch_size": 256,
            "learning_rate": 0.01,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper={
            "title": "Kingma & Dhariwal, Glow, 2018",
            "url": "https://arxiv.org/abs/1807.03039",
        },
    )
