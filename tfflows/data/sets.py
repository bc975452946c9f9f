"""Sets of integers whose probabilities are known: shuffled numbers, and numbers with one sum."""

from __future__ import annotations

import functools
import math

import numpy as np

SHUFFLING, SUMMATION = "set_shuffling", "set_summation"


class Shuffling:
    """The numbers 0 to `size - 1` in an order drawn at random; all orders are equally likely.

    Attributes:
      name: name of the data.
      dim, levels: `size`: numbers in a row, and different numbers.
      entropy: in nats, `log(size!)`.
      bounds: the least and the largest number of each place.

    Reference: Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021
    (section 5.1). https://arxiv.org/abs/2006.09790
    """

    name = SHUFFLING

    def __init__(self, size: int = 16):
        self.dim = self.levels = _at_least("size", size, 2)
        self.entropy = math.lgamma(size + 1.0)
        self.bounds = np.zeros(size), np.full(size, size - 1.0)

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draws `n` rows: int32 `[n, size]`, a function of `(n, seed)` alone."""
        rows = np.tile(np.arange(self.dim, dtype=np.int32), [_at_least("n", n, 0), 1])
        return np.random.default_rng(seed).permuted(rows, axis=1)

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Log-probability, nats, float64 `[n]`, of integers `[n, size]`; -inf for other rows."""
        good = (np.sort(x, axis=1) == np.arange(self.dim)).all(1)
        return np.where(good, -self.entropy, -np.inf)


class Summation:
    """`size` numbers from 1 to `levels` whose sum is `total`; all such rows are equally likely.

    Attributes:
      name: name of the data.
      dim, levels: numbers in a row, and different numbers.
      entropy: in nats, the logarithm of the number of such rows.
      bounds: the least and the largest number of each place.

    Reference: as for `Shuffling`.
    """

    name = SUMMATION

    def __init__(self, size: int = 16, levels: int = 16, total: int = 42):
        self.dim, self.levels = _at_least("size", size, 2), _at_least("levels", levels, 2)
        if not size <= total <= size * levels:
            raise ValueError(f"total: expected {size} to {size * levels}, got {total}")
        self._total = total
        # rows[k, t]: the number of rows of k numbers with the sum t, which fits a Python int.
        rows = np.zeros([size + 1, total + 1], object)
        rows[0, 0] = 1
        for k in range(1, size + 1):
            for value in range(1, min(levels, total) + 1):
                rows[k, value:] += rows[k - 1, : total + 1 - value]
        self._rows = rows
        self.entropy = math.log(rows[size, total])
        self.bounds = np.ones(size), np.full(size, float(levels))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draws `n` rows: int32 `[n, size]`, a function of `(n, seed)` alone."""
        u = np.random.default_rng(seed).random([_at_least("n", n, 0), self.dim])
        left = np.full(n, self._total)
        drawn = np.zeros([n, self.dim], np.int32)
        for place in range(self.dim):
            ends = self._ends(self.dim - place)[left]
            drawn[:, place] = 1 + (u[:, place, np.newaxis] >= ends).sum(1)
            left -= drawn[:, place]
        return drawn

    def _ends(self, count: int) -> np.ndarray:
        """The distribution function of the first of `count` numbers with a given sum.

        Returns:
          Its values at 1 to `levels - 1`, for each sum: `[total + 1, levels - 1]`.
        """
        ends = np.ones([self._total + 1, self.levels - 1])
        for total in range(self._total + 1):
            rows = [
                self._rows[count - 1, total - value] if value <= total else 0
                for value in range(1, self.levels + 1)
            ]
            if sum(rows):
                shares = [sum(rows[: k + 1]) / sum(rows) for k in range(self.levels - 1)]
                ends[total] = shares
        return ends

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Log-probability, nats, float64 `[n]`, of integers `[n, size]`; -inf for other rows."""
        x = np.asarray(x)
        good = ((x >= 1) & (x <= self.levels)).all(1) & (x.sum(1) == self._total)
        return np.where(good, -self.entropy, -np.inf)


def names() -> list[str]:
    """Names of the sets that `get` makes."""
    return [SHUFFLING, SUMMATION]


@functools.cache
def get(name: str) -> Shuffling | Summation:
    """The set of that name, with the published numbers: 16 of 1 to 16, and the sum 42.

    Raises:
      ValueError: for another name.
    """
    if name not in names():
        raise ValueError(f"name: expected one of {', '.join(names())}, got {name!r}")
    return Shuffling() if name == SHUFFLING else Summation()


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise ValueError(f"{name}: expected {least} or more, got {value}")
    return value
