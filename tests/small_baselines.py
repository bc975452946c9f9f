"""Small models of each baseline, and the rows that they are estimated from."""

import numpy as np

from tfflows import models
from tfflows.data import toy

BASELINES = {
    "histogram_1d": lambda: models.Histogram(1, bins=30),
    "histogram_2d": lambda: models.Histogram(2, bins=30, standardize=True),
    "histogram_3d": lambda: models.Histogram(3, bins=20),
    "gaussian": lambda: models.Gaussian(2, standardize=True),
    "mixture_1d": lambda: models.GaussianMixture(1, components=3),
    "mixture_2d": lambda: models.GaussianMixture(2, components=6, standardize=True),
}


def rows_of(dim, n=20_000, seed=0):
    """Rows of one, two or three numbers, none of them normal."""
    if dim == 3:
        x = toy.get("two_moons").sample(n, seed)
        return np.concatenate([x, x[:, :1] ** 2], axis=1)
    return toy.get("mixture_1d" if dim == 1 else "two_moons").sample(n, seed)


def standardize(model):
    """Sets a mean and a deviation, not those of the rows, if the model holds any."""
    if model.get_config()["standardize"]:
        model.set_standardization([5.0, -1.0], [2.0, 0.5])
