"""Repeated numbers in vectors: noise in a cell around each, and the cell's probability."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.models.bound import KDrawBound, keyed_noise
from tfflows.random import row_keys
from tfflows.tracking import AdoptedModule


class CellNoise(tf.Module):
    """The cells of a vector's numbers, as variables of the model.

    Args:
      dim: length of the vector.
    """

    def __init__(self, dim: int):
        super().__init__(name="cells")

        def fixed(name):
            zeros = tf.zeros([dim], tf.float64)
            return tf.Variable(zeros, trainable=False, name=f"cells_{name}")

        self.step, self.origin, self.grid = fixed("step"), fixed("origin"), fixed("grid")

    def set(self, step, origin, grid) -> None:
        """Sets the cells; see `Dequantized.set_cells`."""
        dim = self.step.shape[0]
        for name, variable, value in (
            ("step", self.step, step),
            ("origin", self.origin, origin),
            ("grid", self.grid, grid),
        ):
            value = np.asarray(value, np.float64)
            if (
                value.shape != (dim,)
                or not np.isfinite(value).all()
                or (value < 0).any() * (name == "step")
            ):
                kind = "finite numbers, none negative" if name == "step" else "finite numbers"
                raise ValueError(f"{name}: expected {dim} {kind}, got {value.tolist()}")
            variable.assign(value)

    def number(self, x):
        """The number of the cell that each element of `x` lies in; 0 for one without a cell."""
        has = self.step > 0.0
        return tf.where(has, tf.round((x - self.origin) / tf.where(has, self.step, 1.0)), 0.0 * x)

    def centre(self, x):
        """The centre of each number's cell; the number itself if it has no cell."""
        return tf.where(self.step > 0.0, self.origin + self.number(x) * self.step, x)

    def drawn(self, y):
        """Moves each number of a draw `y` that has a grid to the nearest grid point."""
        return tf.where(self.grid > 0.0, self.centre(y), y)

    def keys(self, x):
        """A key for each row, from cell numbers and, for numbers without cells, float32 values."""
        # Zero has two bit patterns.
        bits = tf.bitcast(tf.where(x == 0.0, 0.0, tf.cast(x, tf.float32)), tf.int32)
        number = self.number(x)
        number = tf.where(tf.math.is_finite(number), number, tf.zeros_like(number))
        plain = tf.cast(bits, tf.int64)
        return row_keys(tf.where(self.step > 0.0, tf.cast(number, tf.int64), plain))

    def log_volume(self):
        """The sum of the logarithms of the steps, float32."""
        log_step = tf.math.log(tf.where(self.step > 0.0, self.step, 1.0))
        return tf.cast(tf.reduce_sum(log_step), tf.float32)


class Dequantized(KDrawBound):
    """Mixin for models of vectors that gives repeated numbers noise and a probability.

    With `dequantize`, a number that has a cell (see `set_cells`) stands for the whole cell. Then
    `log_prob` is a lower bound on the logarithm of the cells' probability times the density of the
    numbers without cells. It is the logarithm of the mean of `p(x + u)` over `samples` draws of
    uniform noise `u` within the cells, times the cells' volume. A number between two grid points is
    scored as the nearest one. Samples lie on the grid. Without `dequantize` none of this happens.
    """

    _noise_cells: CellNoise | None = None

    @property
    def samples(self) -> int | None:
        """Number of noise draws in one bound, K; `None` for a model without `dequantize`."""
        return None if self._noise_cells is None else self._samples

    @samples.setter
    def samples(self, value: int) -> None:
        if self._noise_cells is None:
            raise ValueError(
                f"samples: log_prob of this model is exact and draws no noise, got {value!r}"
            )
        KDrawBound.samples.fset(self, value)

    def _make_cells(self, dim: int, dequantize: bool) -> None:
        if dequantize:
            self._noise_cells = CellNoise(dim)
            self._adopted_cells = AdoptedModule(self._noise_cells, name="cells")

    def set_cells(self, step, origin=None, grid=None) -> None:
        """Sets the cells of a model built with `dequantize=True`.

        Args:
          step: `[dim]`, width of a cell in the data's unit, 0 for a number without cells.
          origin: `[dim]`, centre of one cell; 0 by default.
          grid: `[dim]`, whether all data lie at centres, and draws must too; true by default.

        Raises:
          ValueError: for a model without cells, a wrong shape, or numbers out of range.
        """
        if self._noise_cells is None:
            raise ValueError("dequantize: expected a model built with dequantize=True, got False")
        zeros = np.zeros_like(np.asarray(step, np.float64))
        self._noise_cells.set(
            step, zeros if origin is None else origin, zeros + 1.0 if grid is None else grid
        )

    @property
    def takes_float64(self) -> bool:
        """Whether float64 data reach the model as they are; cell numbers need float64."""
        return self._noise_cells is not None or super().takes_float64

    @property
    def cells(self) -> dict[str, np.ndarray] | None:
        """`step`, `origin` and `grid`, `[dim]` each, of a model that has cells; else `None`."""
        if self._noise_cells is None or not (self._noise_cells.step.numpy() > 0.0).any():
            return None
        return {
            name: getattr(self._noise_cells, name).numpy() for name in ("step", "origin", "grid")
        }

    def off_grid(self, x) -> np.ndarray:
        """Which numbers of `x` `[batch, dim]` lie between two points of their column's grid."""
        cells = self.cells
        if cells is None:
            return np.zeros(np.shape(x), bool)
        x, step = np.asarray(x, np.float64), np.where(cells["step"] > 0, cells["step"], 1.0)
        number = (x - cells["origin"]) / step
        # Written numbers are rounded, as were those that the grid was found from.
        away = np.abs(number - np.rint(number)) > 0.06
        return away & (cells["step"] > 0) & (cells["grid"] > 0)

    def centred(self, x) -> np.ndarray:
        """Rows with each number that has a cell moved to its centre, float64 `[batch, dim]`."""
        x = np.asarray(x, np.float64)
        return x if self._noise_cells is None else self._noise_cells.centre(tf.constant(x)).numpy()

    def noisy(self, x) -> np.ndarray:
        """Rows with noise, float64 `[batch, dim]`, for a model to be fitted to.

        The noise depends on a row's number, so that equal rows get different noise.
        """
        x = np.asarray(x, np.float64)
        if self._noise_cells is None:
            return x
        return self._with_numbered_noise(x).numpy()

    def _with_numbered_noise(self, x):
        return self._with_noise(tf.convert_to_tensor(x), tf.range(len(x), dtype=tf.int64))

    def _with_noise(self, x, key, share: float = 1.0):
        u = keyed_noise(x, key)()
        return self._spread(self._noise_cells.centre(tf.cast(x, tf.float64)), u, share)

    def _with_own_noise(self, x, share: float = 1.0):
        """Rows with the noise of their first draw, which depends on the row itself."""
        return self._with_noise(x, self._noise_cells.keys(tf.cast(x, tf.float64)), share)

    def _spread(self, centre, u, share: float = 1.0):
        y = centre + share * (tf.cast(u, tf.float64) - 0.5) * self._noise_cells.step
        return y if super().takes_float64 else tf.cast(y, tf.float32)

    @property
    def standardization_log_det(self) -> float:
        """The term to add to a raw row's log-density to get that of the standardised, noisy row.

        It is the sum of the log standard deviations (0 for a model without standardisation) minus
        the sum of the logarithms of the cells' widths.
        """
        volume = 0.0 if self._noise_cells is None else float(self._noise_cells.log_volume())
        return super().standardization_log_det - volume

    # Graph functions.

    def log_prob_fn(self, x, context=None):
        """The log-density or, for a model with cells, the bound of the class, `[batch]`, nats."""
        if self._noise_cells is None:
            return super().log_prob_fn(x, context)
        x = tf.cast(x, tf.float64)
        centre, exact = self._noise_cells.centre(x), super().log_prob_fn
        value = self.bound(
            x,
            lambda: self._noise_cells.keys(x),
            lambda draw: exact(self._spread(centre, draw()), context),
        )
        return value + self._noise_cells.log_volume()

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples, and their log-density or the bound on it, as a graph function."""
        if self._noise_cells is None:
            return super().draw_and_log_prob(seed, temperature, context)
        x = self.draw(seed, temperature, context)
        return x, self.log_prob_fn(x, context)

    def draw(self, seed, temperature, context=None):
        """Samples `[batch, dim]`, as a graph function."""
        x = super().draw_and_log_prob(seed, temperature, context)[0]
        return x if self._noise_cells is None else self._on_grid(x)

    def _on_grid(self, x):
        return tf.cast(self._noise_cells.drawn(tf.cast(x, tf.float64)), x.dtype)
