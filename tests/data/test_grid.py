"""Which columns repeat their values, and in cells of what width."""

import numpy as np
import pytest

from tfflows.data import grid

RNG = np.random.default_rng(0)


def found(column):
    cells = grid.find_cells(np.asarray(column)[:, np.newaxis])
    return float(cells.step[0]), float(cells.origin[0]), bool(cells.grid[0])


@pytest.mark.parametrize(
    ("column", "step", "origin"),
    [
        (RNG.poisson(3, 1000), 1.0, 0.0),
        (RNG.integers(0, 2, 1000), 1.0, 0.0),
        (RNG.integers(0, 40, 1000) * 0.5, 0.5, 0.0),
        (RNG.integers(-9, 9, 1000) * 0.1, 0.1, 0.0),
        (RNG.integers(0, 200, 5000) * 0.01 + 7.0, 0.01, 7.0),
        (RNG.choice([1, 2, 5, 10, 31.6], 1000), 0.2, 1.0),
        (RNG.choice([3, 7, 14, 28, 56, 91, 365], 1000), 1.0, 3.0),
        (1e9 + RNG.poisson(3, 1000), 1.0, 1e9),
        # As float32, and as printed with five digits.
        ((RNG.integers(0, 40, 1000) * 0.1).astype(np.float32), 0.1, 0.0),
        (np.array([float(f"{v:.5g}") for v in RNG.integers(0, 31, 900) - 15.6834]), 1.0, -15.683),
    ],
)
def test_a_regular_grid_is_found_with_its_step(column, step, origin):
    got = found(column)
    assert got[2]
    assert got[0] == pytest.approx(step, rel=1e-6)
    # The centre of any cell will do.
    cells = (got[1] - origin) / step
    assert abs(cells - round(cells)) < 1e-3


@pytest.mark.parametrize(
    "column",
    [
        RNG.normal(size=1000),
        RNG.standard_cauchy(size=1000).astype(np.float32),
        np.repeat(RNG.normal(size=300), 1)[:300],
        RNG.normal(size=3000).round(6),
        np.full(100, 3.0),
    ],
)
def test_numbers_that_do_not_repeat_have_no_cells(column):
    assert found(column) == (0.0, 0.0, False)


def test_a_share_of_equal_values_has_cells_though_there_is_no_grid():
    column = np.where(RNG.uniform(size=4000) < 0.3, 0.0, RNG.gamma(2.0, 1.0, 4000))
    step, origin, is_grid = found(column)
    assert not is_grid
    assert origin == 0.0
    assert 1e-4 < step / column.std() < 2e-3


def test_few_values_on_no_grid_keep_cells_of_their_own():
    values = np.sort(RNG.normal(size=12))
    step, origin, is_grid = found(RNG.choice(values, 1000))
    assert not is_grid
    assert len(np.unique(np.rint((values - origin) / step))) == 12


def test_every_column_by_itself_and_in_words():
    table = np.stack([RNG.normal(size=500), RNG.poisson(2, 500), RNG.integers(0, 9, 500) * 0.5], 1)
    cells = grid.find_cells(table)
    np.testing.assert_allclose(cells.step, [0.0, 1.0, 0.5])
    assert cells.any
    assert cells.describe(["a", "b", "c"]) == [
        "b: values on a grid with a step of 1",
        "c: values on a grid with a step of 0.5",
    ]
    assert not grid.find_cells(table[:, :1]).any
