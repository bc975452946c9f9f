"""The histogram as a density."""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from tfflows.models.baselines.base import Baseline
from tfflows.models.cells import Dequantized
from tfflows.random import from_tails, pick, tail_rows

_NOTHING = -1e9  # log-mass of a cell without rows: weights must be finite


@keras.saving.register_keras_serializable("tfflows")
class Histogram(Dequantized, Baseline):
    """Equal bins between the least and the greatest training row, with exponential tails beyond.

    In one and two dimensions it is a grid of all combinations of bins. In more dimensions such a
    grid would have more cells than rows, so it is the product of one histogram per dimension.

    Each dimension has `bins` bins of equal width and two more cells, one below and one above them.
    The density in those two falls by a factor of e with each standard deviation of the training
    rows. The mass of a cell is its number of rows, plus `smoothing`, over the sum of these. Without
    smoothing this is the maximum-likelihood histogram, and cells without training rows have
    density 0.

    Args:
      dim: length of the data vector.
      bins: number of bins of each dimension.
      smoothing: rows added to each cell.
      standardize: put the data's mean and standard deviation into the model.
      dequantize: add noise to repeated numbers; see `Dequantized`.
      seed: kept for the config; nothing is random in the estimation.
      name: name of the model.
    """

    def __init__(
        self,
        dim: int,
        bins: int = 64,
        smoothing: float = 1.0,
        standardize: bool = False,
        dequantize: bool = False,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        if int(bins) < 1:
            raise ValueError(f"bins: expected at least 1, got {bins}")
        if not 0 <= smoothing < math.inf:
            raise ValueError(f"smoothing: expected a number >= 0, got {smoothing}")
        config = {"bins": int(bins), "smoothing": float(smoothing)}
        super().__init__(dim, standardize, dequantize, seed, name, trainable, **config)

    def _build(self, dim, bins, smoothing):
        p = self.parameters
        p.low = tf.Variable(tf.zeros([dim]), trainable=False, name="low")
        p.high = tf.Variable(tf.ones([dim]), trainable=False, name="high")
        p.tail = tf.Variable(tf.ones([dim]), trainable=False, name="tail")
        # With two dimensions, a grid over both; otherwise a row of cells for each.
        shape = [2 + bins, 2 + bins] if dim == 2 else [dim, 2 + bins]
        p.log_mass = tf.Variable(tf.zeros(shape), name="log_mass")

    @property
    def _width(self):
        return (self.parameters.high - self.parameters.low) / self._config["bins"]

    def _cells(self, x):
        """The cell of each number of `x` `[n, dim]`: 0 and `bins + 1` are the tails."""
        p, bins = self.parameters, self._config["bins"]
        # Clipped as a float: far away the number of a bin overflows an integer.
        cell = tf.floor((x - p.low) / self._width)
        cell = 1 + tf.cast(tf.clip_by_value(cell, 0.0, bins - 1.0), tf.int32)
        cell = tf.where(x < p.low, tf.zeros_like(cell), cell)
        return tf.where(x > p.high, (bins + 1) * tf.ones_like(cell), cell)

    def _estimate(self, rows):
        p = self.parameters
        x = rows.astype(np.float32)
        constant = np.flatnonzero(x.min(axis=0) == x.max(axis=0))
        if constant.size:
            raise ValueError(f"rows: expected columns that vary, got constant column {constant[0]}")
        p.low.assign(x.min(axis=0))
        p.high.assign(x.max(axis=0))
        p.tail.assign(rows.std(axis=0).astype(np.float32))
        # Use the model's own arithmetic, so that a row at an edge counts where it will be found.
        cells = self._cells(tf.constant(x)).numpy()
        counts = np.zeros(p.log_mass.shape)
        if self._event_shape[0] == 2:
            np.add.at(counts, tuple(cells.T), 1)
        else:
            for d in range(len(counts)):
                counts[d] = np.bincount(cells[:, d], minlength=counts.shape[1])
        counts += self._config["smoothing"]
        mass = counts / counts.sum(axis=None if self._event_shape[0] == 2 else 1, keepdims=True)
        with np.errstate(divide="ignore"):
            p.log_mass.assign(np.maximum(np.log(mass), _NOTHING).astype(np.float32))

    def _log_density(self, x):
        p, bins = self.parameters, self._config["bins"]
        cell = self._cells(x)
        distance = tf.nn.relu(p.low - x) + tf.nn.relu(x - p.high)
        in_tail = -distance / p.tail - tf.math.log(p.tail)
        inside = (cell > 0) & (cell <= bins)
        within = tf.where(inside, tf.zeros_like(x) - tf.math.log(self._width), in_tail)
        if self._event_shape[0] == 2:
            log_mass = p.log_mass - tf.reduce_logsumexp(p.log_mass)
            log_mass = tf.gather_nd(log_mass, cell)
        else:
            log_mass = p.log_mass - tf.reduce_logsumexp(p.log_mass, axis=1, keepdims=True)
            log_mass = tf.gather(log_mass, tf.transpose(cell), batch_dims=1)
            log_mass = tf.reduce_sum(log_mass, axis=0)
        log_prob = log_mass + tf.reduce_sum(within, axis=1)
        empty = log_mass < 0.5 * _NOTHING
        return tf.where(empty, tf.constant(-math.inf, log_prob.dtype), log_prob)

    def _draw(self, seed):
        p, bins, dim = self.parameters, self._config["bins"], self._event_shape[0]
        u = tail_rows(seed, 2 * dim, from_tails)
        choice, place = u[:, :dim], u[:, dim:]
        cdf = tf.cumsum(tf.exp(p.log_mass - tf.reduce_max(p.log_mass)), axis=1)
        if dim == 2:
            first = pick(tf.cumsum(cdf[:, -1]), choice[:, 0])
            cell = tf.stack([first, pick(tf.gather(cdf, first), choice[:, 1])], axis=1)
        else:
            cell = pick(cdf, choice)
        inside = p.low + (tf.cast(cell, tf.float32) - 1.0 + place) * self._width
        distance = -p.tail * tf.math.log(place)
        x = tf.where(cell == 0, p.low - distance, inside)
        return tf.where(cell == bins + 1, p.high + distance, x)
