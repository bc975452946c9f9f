"""Categorical flow of numbers with one sum."""

from zoo.configs import default
from zoo.configs.categorical import PAPER, TRAIN


def get_config():
    return default.get_config(
        name="categorical_set_summation",
        summary="Categorical flow of 16 numbers whose sum is 42.",
        family="CategoricalFlow",
        model={"levels": 16, "ordered": False, "width": 64, "blocks": 1},
        data={"name": "set_summation"},
        train=TRAIN,
        paper=PAPER,
    )
