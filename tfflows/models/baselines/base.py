"""The base class of densities that are estimated from all rows at once."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.checks import check_seed
from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.reals import RealEvents
from tfflows.tracking import AdoptedModule

# Beyond this the square of a float32 overflows; such a row is outside of any support.
_LARGEST = 1e18


class Baseline(Described, RealEvents, DensityModel):
    """A density of vectors without a flow, estimated from all rows at once.

    A subclass creates its variables in `_build`, and defines `_estimate` (from float64 rows),
    `_log_density` and `_draw`. If the model standardises or dequantizes, the rows of all three are
    already standardised or have the noise of `Dequantized`.

    Args:
      dim: length of the data vector.
      standardize: put the data's mean and standard deviation into the model; see
        `set_standardization`.
      dequantize: see `Dequantized`, which a subclass also inherits from.
      seed: seed of anything random in the estimation.
      name: name of the model.
      **config: the subclass's own arguments, kept for `get_config`.
    """

    supports_temperature = False
    context_shape = None
    _initialized_from_all = True
    _uninitialized = "the model has seen no data; call estimate(rows), or load weights first"

    def __init__(
        self,
        dim,
        standardize=False,
        dequantize=False,
        seed=0,
        name=None,
        trainable=True,
        **config,
    ):
        if int(dim) < 1:
            raise ValueError(f"dim: expected at least 1, got {dim}")
        super().__init__(seed=seed, name=name, trainable=trainable)
        self._event_shape = (int(dim),)
        self._config = {
            "dim": int(dim),
            "standardize": standardize,
            "dequantize": dequantize,
            "seed": check_seed(seed),
            **config,
        }
        self.parameters = tf.Module(name="parameters")
        self.parameters.estimated = tf.Variable(0, trainable=False, name="estimated")
        self._standardize = tb.Standardize(int(dim)) if standardize else None
        self.parameters.standardize = self._standardize
        self._build(int(dim), **config)
        self._adopted = AdoptedModule(self.parameters, name="parameters")
        self._make_cells(int(dim), dequantize)
        self.built = True

    def _build(self, dim, **config):
        raise NotImplementedError

    def _estimate(self, rows: np.ndarray):
        raise NotImplementedError

    def _log_density(self, x):
        raise NotImplementedError

    def _draw(self, seed):
        raise NotImplementedError

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        return {"dim": event_shape[0]}

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    @property
    def initialized(self) -> bool:
        """Whether `estimate` has been called, or the weights of an estimated model loaded."""
        return bool(self.parameters.estimated.numpy())

    def estimate(self, rows) -> None:
        """Sets the parameters by maximum likelihood (see the class) from all `rows`.

        Args:
          rows: `[n, dim]`, raw; set a standardisation first.

        Raises:
          ValueError: for a wrong shape, rows that are not finite, or too few of them.
        """
        rows, _ = self.learn_columns(rows, {})
        self._estimate(check_rows(self, rows))
        self.parameters.estimated.assign(1)

    def initialize(self, x, context=None) -> None:
        """Estimates the model from the batch `x`, unless that is done; `fit` starts from it."""
        if not self.initialized:
            self.estimate(x)

    def log_prob_fn(self, x, context=None):
        """Log-density `[batch]`, nats, as a graph function."""
        log_det = 0.0
        missing = tf.reduce_any(tf.math.is_nan(x), axis=1)
        if self._standardize is not None:
            x, log_det = self._standardize.inverse_and_log_det(x)
        outside = tf.reduce_any(tf.abs(x) > _LARGEST, axis=1)
        x = tf.where((missing | outside)[:, tf.newaxis], tf.zeros_like(x), x)
        log_prob = self._log_density(x) + log_det
        log_prob = tf.where(outside, tf.constant(-math.inf, log_prob.dtype), log_prob)
        return tf.where(missing, tf.constant(math.nan, log_prob.dtype), log_prob)

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their log-density, as a graph function."""
        x = self._draw(seed)
        log_prob = self._log_density(x)
        if self._standardize is not None:
            x, log_det = self._standardize.forward_and_log_det(x)
            log_prob -= log_det
        return x, log_prob


def check_rows(model, rows) -> np.ndarray:
    """Checks rows and prepares them for the estimation: float64, with noise, standardised."""
    dim, standardize = model.event_shape[0], model._standardize
    rows = np.asarray(rows, np.float64)
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise ValueError(f"rows: expected shape [n, {dim}], got {list(rows.shape)}")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"rows: expected finite numbers, got NaN or infinity in row {np.argmin(finite)}"
        )
    if len(rows) < 2:
        raise ValueError(f"rows: expected at least 2, got {len(rows)}")
    rows = model.noisy(rows)
    if standardize is not None:
        rows = standardize.inverse(tf.constant(rows)).numpy().astype(np.float64)
    small = (np.abs(rows) <= _LARGEST).all(axis=1)
    if not small.all():
        raise ValueError(
            f"rows: expected numbers within +-{_LARGEST:g}, got a larger one in row "
            f"{np.argmin(small)}"
        )
    return rows
