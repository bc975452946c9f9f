"""Categorical flow of sets: shuffling."""

from zoo.configs import default
from zoo.configs.categorical import PAPER


def get_config():
    return default.get_config(
        name="categorical_set_shuffling",
        summary="Categorical flow of 16 shuffled numbers.",
        family="CategoricalFlow",
        model={"levels": 16, "ordered": False, "width": 64, "blocks": 1},
        data={"name": "set_shuffling", "size": 200_000},
        train={
            "steps": 20_000,
            "batch_size": 128,
            "learning_rate": 0.005,
            "warmup": 200,
            "eval_every": 1000,
        },
        paper=PAPER,
    )
