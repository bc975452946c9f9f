"""Scores or draws any number of rows, in batches that fit in memory.

Results do not depend on the batch size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

# A batch has at most this many numbers (but at least one row), and at most this many rows.
_NUMBERS, _MOST = 2**18, 4096


def log_prob(model, x, context=None) -> np.ndarray:
    """The log-density of each row.

    Args:
      model: a `DensityModel`.
      x: rows `[n, *event]`.
      context: `[n, *context_shape]` for a conditional model.

    Returns:
      float64 `[n]`, nats.
    """
    parts = [
        model.log_prob(x[rows], None if context is None else context[rows])
        for rows in _batches(model, len(x))
    ]
    return np.concatenate([np.asarray(part, np.float64) for part in parts] or [np.zeros(0)])


def sample(
    model, n: int, seed: int = 0, start: int = 0, temperature: float = 1.0, context=None
) -> np.ndarray:
    """Draws rows `[n, *event]` in the model's dtype; arguments as for `DensityModel.sample`."""
    return np.concatenate(
        [
            model.sample(*arguments, temperature, context=part).numpy()
            for *arguments, part in _draws(model, n, seed, start, context)
        ]
    )


def sample_and_log_prob(
    model, n: int, seed: int = 0, start: int = 0, temperature: float = 1.0, context=None
) -> tuple[np.ndarray, np.ndarray]:
    """Draws rows like `sample`, and returns each row's log-density too, float64 `[n]`, nats."""
    parts = [
        model.sample_and_log_prob(*arguments, temperature, context=part)
        for *arguments, part in _draws(model, n, seed, start, context)
    ]
    x, log_q = zip(*parts, strict=True)
    return np.concatenate([np.asarray(part) for part in x]), np.concatenate(
        [np.asarray(part, np.float64) for part in log_q]
    )


def _draws(model, n, seed, start, context) -> Iterator[tuple]:
    """Yields each batch's number of draws, seed, number of the first draw, and contexts."""
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    for rows in _batches(model, n):
        part = None if context is None else context[rows]
        yield rows.stop - rows.start, seed, start + rows.start, part


def _batches(model, n: int) -> Iterator[slice]:
    size = max(1, min(_MOST, _NUMBERS // math.prod(model.event_shape)))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
