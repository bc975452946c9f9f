"""Tables of integer probabilities, the same on every machine.

Two machines may disagree about the last digit of an exponential, and a codec whose tables differ in
one place decodes garbage. So the tables are computed with Python's whole numbers and `decimal`,
which have no such freedom.

A table gives the shares, out of `TOTAL`, of the integers 0 to `levels - 1` (those of the model,
counted from the least). It is held as `levels + 1` edges, from 0 to `TOTAL`, each more than the one
before, so that every integer can be coded.
"""

from __future__ import annotations

import decimal
import functools
import hashlib

import numpy as np

BITS = 22  # float32 and float64 hold every share exactly
TOTAL = 2**BITS

_POINT = 96  # bits after the binary point of the whole numbers that stand for fractions
_ONE = 1 << _POINT
_CONTEXT = decimal.Context(prec=50)


def _fixed(value: decimal.Decimal) -> int:
    return int(_CONTEXT.multiply(value, decimal.Decimal(_ONE)).to_integral_value(context=_CONTEXT))


def _exp(value: decimal.Decimal) -> int:
    return _fixed(_CONTEXT.exp(value))


def _in_context(function):
    """Makes a function ignore the caller's context of `decimal`, on which results may depend."""

    @functools.wraps(function)
    def run(*arguments):
        with decimal.localcontext(_CONTEXT):
            return function(*arguments)

    return run


@_in_context
def logistic(start: decimal.Decimal, step: decimal.Decimal, count: int) -> list[int]:
    """`1 / (1 + exp(-(start + i step)))` for i below `count`, out of `2**96`.

    Args:
      start, step: exact numbers; `step` is positive.
      count: how many.
    """
    # exp(-|t|) stays between 0 and 1: powers go upwards from the least t >= 0, and downwards.
    first = max(0, min(count, int((-start / step).to_integral_value(decimal.ROUND_CEILING))))
    factor, found = _exp(-step), [0] * count
    for indices, sign in ((range(first, count), 1), (range(first - 1, -1, -1), -1)):
        if not indices:
            continue
        t = _CONTEXT.fma(decimal.Decimal(indices[0]), step, start)
        power = _exp(-t if sign > 0 else t)
        for index in indices:
            share = (_ONE << _POINT) // (_ONE + power)
            found[index] = share if sign > 0 else _ONE - share
            power = (power * factor) >> _POINT
    return found


def edges_of(shares: list[int], levels: int) -> np.ndarray:
    """The edges of a table, from the distribution function at the inner edges.

    Args:
      shares: `levels - 1` values out of `2**96`, none less than the one before.
      levels: number of integers.
    """
    room = TOTAL - levels
    inner = [((share * room) >> _POINT) + i + 1 for i, share in enumerate(shares)]
    return np.array([0, *inner, TOTAL], np.uint32)


class LogisticTables:
    """The tables of all discretized logistics on the grids of `tfflows.models.discrete.priors`.

    Attributes:
      edges: `uint32 [phases, scales, 2 levels]`. For a mean of m + phase / phases,
        `edges[phase, scale, i]` is the share of the integers below `m + i - levels + 1`. In a table
        of the range the first edge is 0 and the last is `TOTAL`.

    Args:
      levels: number of integers.
      phases: steps of the grid of means between two integers.
      log_scales: logarithms of the scales; float64 holds them exactly.
    """

    @_in_context
    def __init__(self, levels: int, phases: int, log_scales):
        self.levels, self.phases, scales = levels, phases, len(log_scales)
        self.edges = np.empty([phases, scales, 2 * levels], np.uint32)
        room = TOTAL - 2 * levels
        for scale, log_scale in enumerate(log_scales):
            step = _CONTEXT.exp(-decimal.Decimal(float(log_scale)))
            for phase in range(phases):
                start = (
                    decimal.Decimal(1 - levels)
                    - decimal.Decimal("0.5")
                    - decimal.Decimal(phase) / phases
                )
                shares = logistic(_CONTEXT.multiply(start, step), step, 2 * levels)
                self.edges[phase, scale] = [
                    ((s * room) >> _POINT) + i for i, s in enumerate(shares)
                ]
        widths = np.diff(self.edges.astype(np.int64)) / TOTAL
        self._widths = np.lib.stride_tricks.sliding_window_view(
            widths.astype(np.float32), levels, axis=-1
        )

    def shares(self, means: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Probabilities of all integers in n tables, multiples of `1 / TOTAL`.

        Args:
          means: whole numbers of `1 / phases`, counted from the least integer, `[n]`.
          places: numbers of scales, `[n]`.

        Returns:
          float32 `[n, levels]`, exact.
        """
        whole, phase = np.divmod(means, self.phases)
        first = self.levels - 1 - whole
        shares = self._widths[phase, places, first]
        # The outermost integers have the tails.
        shares[:, 0] = self.edges[phase, places, first + 1] / np.float32(TOTAL)
        below = self.edges[phase, places, first + self.levels - 1]
        shares[:, -1] = (TOTAL - below.astype(np.int64)) / np.float32(TOTAL)
        return shares

    @property
    def largest(self) -> float:
        """A bound on the probability of an integer in any table: each other has one share."""
        return 1.0 - (self.levels - 1) / TOTAL

    def sha256(self) -> str:
        """The checksum of the tables."""
        return hashlib.sha256(self.edges.astype("<u4").tobytes()).hexdigest()


@_in_context
def mixture_edges(levels: int, logits, means, log_scales) -> np.ndarray:
    """Edges `uint32 [n, levels + 1]` of mixtures of discretized logistics.

    Args:
      levels: number of integers.
      logits, means, log_scales: float32 `[n, components]`; means are counted from the least
        integer.
    """
    result = np.empty([len(logits), levels + 1], np.uint32)
    half = decimal.Decimal("0.5")
    for row in range(len(logits)):
        logit = [decimal.Decimal(float(v)) for v in logits[row]]
        weights = [_exp(v - max(logit)) for v in logit]
        total = sum(weights)
        shares = [0] * (levels - 1)
        for weight, mean, log_scale in zip(weights, means[row], log_scales[row], strict=True):
            step = _CONTEXT.exp(-decimal.Decimal(float(log_scale)))
            start = _CONTEXT.multiply(half - decimal.Decimal(float(mean)), step)
            for i, share in enumerate(logistic(start, step, levels - 1)):
                shares[i] += weight * share
        result[row] = edges_of([share // total for share in shares], levels)
    return result


def shares_of(edges: np.ndarray) -> np.ndarray:
    """Probabilities float32 `[n, levels]`, exact, of tables held as edges."""
    return (np.diff(edges.astype(np.int64)) / TOTAL).astype(np.float32)
