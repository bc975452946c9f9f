"""Finds columns that are a linear function of another and so have no density given it."""

from __future__ import annotations

import numpy as np

_CORRELATION = 1.0 - 1e-9  # pairs of columns below it are not checked further
_ROUNDING = 1e-6  # deviation of the standardised residual that rounding to float32 leaves


def find_copies(values: np.ndarray) -> dict[int, int]:
    """Finds columns that repeat an earlier one, up to an offset, a factor and rounding.

    Args:
      values: finite numbers `[n, d]`; no column is constant.

    Returns:
      A dict from each such column to the first column that it repeats.
    """
    values = np.asarray(values, np.float64)
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    correlation = z.T @ z / len(z)
    copies = {}
    for first, second in zip(
        *np.nonzero(np.triu(np.abs(correlation), 1) > _CORRELATION), strict=True
    ):
        if second in copies or first in copies:
            continue
        residual = z[:, second] - np.sign(correlation[first, second]) * z[:, first]
        if residual.std() < _ROUNDING:
            copies[int(second)] = int(first)
    return copies
