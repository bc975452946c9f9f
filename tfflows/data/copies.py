"""Columns that are a linear function of another: given that one, they have no density."""

from __future__ import annotations

import numpy as np

_CORRELATION = 1.0 - 1e-9  # below it no column is looked at more closely
_ROUNDING = 1e-6  # of the residual, in deviations: what rounding to float32 leaves


def find_copies(values: np.ndarray) -> dict[int, int]:
    """Which columns repeat an earlier one, up to an offset, a factor and rounding.

    Args:
      values: finite numbers `[n, d]`; no column is constant.

    Returns:
      From each such column to the first that it repeats.
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
