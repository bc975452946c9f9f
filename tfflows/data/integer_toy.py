"""Toy densities on a grid: integers with exactly known probabilities and entropy."""

from __future__ import annotations

import functools

import numpy as np

from tfflows.data import toy

_POINTS = 8  # of the density in each direction of a cell


class IntegerToy:
    """The probabilities that a toy density gives to the cells of a grid over its box.

    Draws come from these probabilities themselves, so they and the entropy are exact.

    Attributes:
      name: name of the toy.
      dim: number of dimensions.
      levels: number of cells, and so of integers, in each dimension.
      probabilities: float64 `[levels] * dim`, which sum to 1.
      entropy: in nats.
      bounds: the least and the largest integer of each dimension.
    """

    def __init__(self, density: toy.Toy, levels: int):
        if not 2 <= levels <= 1024:
            raise ValueError(f"levels: expected 2 to 1024 for a toy, got {levels}")
        self.name, self.dim, self.levels = density.name, density.dim, levels
        low, high = density.bounds
        places = (np.arange(levels * _POINTS) + 0.5) / (levels * _POINTS)
        axes = [a + (b - a) * places for a, b in zip(low, high, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
        values = np.exp(density.log_prob(points.reshape(-1, self.dim)))
        cells = values.reshape([levels, _POINTS] * self.dim)
        masses = cells.mean(tuple(range(1, 2 * self.dim, 2)))
        self.probabilities = masses / masses.sum()
        with np.errstate(divide="ignore"):
            self._log_probs = np.log(self.probabilities)
        positive = self.probabilities > 0
        self.entropy = -float(np.sum(self.probabilities[positive] * self._log_probs[positive]))
        self.bounds = (np.zeros(self.dim), np.full(self.dim, levels - 1.0))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draws `n` rows: int32 `[n, dim]`, a function of `(n, seed)` alone.

        Raises:
          ValueError: if `n` is negative.
        """
        if n < 0:
            raise ValueError(f"n: expected 0 or more, got {n}")
        ends = np.cumsum(self.probabilities.ravel())
        u = np.random.default_rng(seed).random(n) * ends[-1]
        cells = np.searchsorted(ends, u, side="right")
        return np.stack(np.unravel_index(cells, self.probabilities.shape), 1).astype(np.int32)

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Log-probability, nats, float64 `[n]`; -inf outside of the range.

        Args:
          x: integers `[n, dim]`.
        """
        x = np.asarray(x)
        inside = ((x >= 0) & (x < self.levels)).all(1)
        rows = np.where(inside[:, np.newaxis], x, 0).astype(int)
        return np.where(inside, self._log_probs[tuple(rows.T)], -np.inf)


@functools.lru_cache(maxsize=8)
def get(name: str, levels: int) -> IntegerToy:
    """The toy of that name (see `toy.get`) on a grid of `levels` cells in each dimension."""
    return IntegerToy(toy.get(name), levels)
