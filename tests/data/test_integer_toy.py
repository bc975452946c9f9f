"""Toys on a grid: their probabilities are those of the density, and draws follow them."""

import math

import numpy as np
import pytest

from tfflows.data import integer_toy, toy


@pytest.mark.parametrize(("name", "levels"), [("two_moons", 32), ("eight_gaussians", 64)])
def test_probabilities_are_those_of_the_density(name, levels):
    grid, density = integer_toy.get(name, levels), toy.get(name)
    assert grid.probabilities.shape == (levels,) * 2
    assert grid.probabilities.sum() == pytest.approx(1.0)
    n = 200_000
    x = density.sample(n, seed=3).astype(float)
    low, high = density.bounds
    cells = np.floor((x - low) / (high - low) * levels).astype(int)
    inside = ((cells >= 0) & (cells < levels)).all(1)
    assert inside.mean() > 0.999
    numbers = cells[inside] @ [levels, 1]
    counts = np.bincount(numbers, minlength=levels**2)
    expected = inside.sum() * grid.probabilities.ravel()
    kept = expected > 5
    chi_square = np.sum((counts[kept] - expected[kept]) ** 2 / expected[kept])
    assert chi_square < kept.sum() + 6 * math.sqrt(2 * kept.sum())


def test_entropy_and_draws_belong_to_the_probabilities():
    grid = integer_toy.get("checkerboard", 16)
    x = grid.sample(100_000, seed=0)
    assert x.dtype == np.int32 and x.min() >= 0 and x.max() <= 15
    log_p = grid.log_prob(x)
    assert -log_p.mean() == pytest.approx(
        grid.entropy, abs=1e-9 + 5 * log_p.std() / math.sqrt(len(x))
    )
    np.testing.assert_array_equal(grid.sample(10, seed=4), grid.sample(10, seed=4))
    assert np.isneginf(grid.log_prob(np.array([[-1, 0], [0, 16]]))).all()


def test_bad_arguments():
    with pytest.raises(ValueError, match="levels: expected 2 to 1024 for a toy, got 1"):
        integer_toy.get("two_moons", 1)
    with pytest.raises(ValueError, match="n: expected 0 or more, got -1"):
        integer_toy.get("two_moons", 4).sample(-1, seed=0)
