"""Finds a cell for each value of columns whose values repeat, so that noise can fill it.

The density of numbers that repeat is meaningless: the narrower its spikes, the higher it is. So
each value of such a column stands for a cell, an interval around it, and a model gives the cell's
probability. Numbers on a regular grid (integers, steps of 0.5) have cells of one step. Numbers that
repeat without such a grid (a share of exact zeros, say) have cells of a thousandth of their
deviation. Noise within the cells makes the values continuous.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# A column has cells if each value occurs twice on average, or if one value occurs this often.
_REPEATS = 0.5
_ATOM, _ATOM_ROWS = 0.01, 10
# Printed numbers are rounded, so a value may lie off its grid by a fraction of a step. The first of
# these tolerances that gives a grid is used.
_TOLERANCES = (1e-6, 1e-3, 0.05)
_FINEST = 2.0**-12  # finest step of a grid, in deviations
_CELL = 2.0**-10  # cell width of a column without a grid, in deviations
_DIVISORS = 20  # a grid's step is the smallest gap between values divided by 1, 2, ... or this
_MOST_VALUES = 20_000


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a table's columns.

    Attributes:
      step: width of a cell, float64 `[d]`, in the column's unit; 0 for a column without cells.
      origin: centre of one cell, float64 `[d]`.
      grid: bool `[d]`: whether all values of the column lie at centres of cells.
    """

    step: np.ndarray
    origin: np.ndarray
    grid: np.ndarray

    @property
    def any(self) -> bool:
        """Whether any column has cells."""
        return bool((self.step > 0).any())

    def describe(self, columns: list[str]) -> list[str]:
        """One phrase for each column that has cells, starting with its name."""
        phrases = []
        for name, step, grid in zip(columns, self.step, self.grid, strict=True):
            if step > 0:
                kind = (
                    "values on a grid with a step"
                    if grid
                    else "repeated values, in cells with a width"
                )
                phrases.append(f"{name}: {kind} of {step:.6g}")
        return phrases


def find_cells(values: np.ndarray) -> Cells:
    """The cells of every column of a table.

    Args:
      values: finite numbers `[n, d]`.
    """
    found = [_column(np.asarray(column, np.float64)) for column in np.asarray(values).T]
    step, origin, grid = (np.array(part) for part in zip(*found, strict=True))
    return Cells(step.astype(np.float64), origin.astype(np.float64), grid.astype(bool))


def _column(x: np.ndarray) -> tuple[float, float, bool]:
    """Step and origin of one column's cells, and whether they form a grid."""
    values, counts = np.unique(x, return_counts=True)
    atoms = counts >= max(_ATOM_ROWS, _ATOM * len(x))
    if len(values) < 2 or (len(values) > _REPEATS * len(x) and not atoms.any()):
        return 0.0, 0.0, False
    scale = _scale(x, values)
    grid = _regular(values, _FINEST * scale)
    if grid is not None:
        return *grid, True
    return _CELL * scale, float(values[np.argmax(counts)]), False


def _scale(x: np.ndarray, values: np.ndarray) -> float:
    """A measure of deviation that neither outliers nor repeated values dominate."""
    low, high = np.quantile(values, [0.25, 0.75])
    return min(float(x.std()), float(high - low) / 1.349)


def _regular(values: np.ndarray, finest: float) -> tuple[float, float] | None:
    """Step and origin of the regular grid that sorted distinct `values` lie on, or `None`."""
    if len(values) > _MOST_VALUES:
        return None
    gaps = np.diff(values)
    smallest = gaps.min()
    for tolerance in _TOLERANCES:
        for divisor in range(1, _DIVISORS + 1):
            step = smallest / divisor
            fitted = _fit(values, gaps, step, tolerance) if step >= finest else None
            if fitted is not None:
                return fitted
    return None


def _fit(values, gaps, step: float, tolerance: float) -> tuple[float, float] | None:
    """The best-fitting grid with about this step, or `None` if a value lies off it."""
    # Count gap by gap first: over the whole range, a slightly wrong step would be cells off.
    number = np.concatenate([[0.0], np.cumsum(np.rint(gaps / step))])
    for _ in range(3):
        centred = number - number.mean()
        step = float(centred @ (values - values.mean()) / (centred @ centred))
        origin = float(values.mean() - step * number.mean())
        off = np.abs(values - origin - step * number).max()
        if not (np.isfinite(step) and step > 0 and off <= 0.25 * step):
            return None
        number = np.rint((values - origin) / step)
    if off > tolerance * step:
        return None
    # Among the steps and centres that fit equally well, take those with the fewest digits.
    span = number.max() - number.min()
    step = _short(step, 2 * off / span)
    return step, _short(float((values - step * number).mean()), off)


def _short(value: float, tolerance: float) -> float:
    """The shortest decimal within `tolerance`, or within rounding, of `value`."""
    if abs(value) <= tolerance:
        return 0.0
    tolerance = max(tolerance, 4e-16 * abs(value))
    decimals = (float(f"{value:.{digits}g}") for digits in range(1, 18))
    return next(near for near in decimals if abs(near - value) <= tolerance)
