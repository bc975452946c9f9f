"""Categorical flow of shuffled numbers."""

from zoo.configs import default
from zoo.configs.categorical import PAPER, TRAIN


def get_config():
    return default.get_config(
        name="categorical_set_shuffling",
        summary="Categorical flow of 16 shuffled numbers.",
        family="CategoricalFlow",
        model={"levels": 16, "ordered": False, "width": 64, "blocks": 1},
        data={"name": "set_shuffling"},
        train=TRAIN,
        paper=PAPER,
    )
