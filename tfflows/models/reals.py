"""Models of real numbers: named columns, the data's statistics, and the dtype the data need."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.bijectors.normalization import Standardize
from tfflows.models.columns import NamedColumns


class RealEvents(NamedColumns):
    """What all models of real numbers share; `IntegerEvents` is the same for integers.

    A model may hold the data's mean and standard deviation, as `_standardize`. It then takes
    float64 data as they are, and subtracts the mean in float64 before anything is rounded.
    """

    _standardize: Standardize | None = None

    @property
    def event_dtype(self) -> tf.DType:
        """Dtype of samples, and of data in an export: float64 if float32 cannot hold the data."""
        narrow = self._standardize is None or self._standardize.float32_holds_data
        return tf.float32 if narrow else tf.float64

    @property
    def takes_float64(self) -> bool:
        """Whether float64 data reach the model as they are."""
        return self._standardize is not None

    def set_standardization(self, mean, std) -> None:
        """Sets the statistics of a model built with `standardize=True`; see `Standardize`."""
        if self._standardize is None:
            raise ValueError("standardize: expected a model built with standardize=True, got False")
        self._standardize.set_statistics(mean, std)
        # Functions that Keras has already traced may return data of another dtype.
        self.train_function = self.test_function = self.predict_function = None

    @property
    def standardization_log_det(self) -> float:
        """The sum of the log standard deviations, 0 for a model without standardisation.

        Add it to the log-density of a raw row to get that of the standardised row.
        """
        if self._standardize is None:
            return 0.0
        return float(tf.reduce_sum(self._standardize.log_scale).numpy())

    def _check_spec(self, name, x):
        super()._check_spec(name, x)
        dtype = tf.as_dtype(x.dtype)
        if self.event_dtype == tf.float64 and not (dtype.is_integer or dtype == tf.float64):
            raise ValueError(
                f"{name}: expected float64, since float32 is too coarse for a column of the "
                f"training data, got {dtype.name}"
            )

    def _check_rounding(self, name, x):
        x = np.asarray(x)
        if len(self.event_shape) > 1 or x.dtype.kind == "f" and x.dtype.itemsize < 8:
            return
        x = x.astype(np.float64)
        if self._standardize is not None:
            x = self._standardize.standardized(x)
        with np.errstate(over="ignore", invalid="ignore"):
            lost = np.abs(x.astype(np.float32) - x).max(axis=0)
        std = x.std(axis=0)
        for column in np.flatnonzero((lost > 1e-3 * std) & (std > 0)):
            raise ValueError(
                f"{name}: column {column} varies too little for float32, relative to its size; "
                "build the model with standardize=True and call set_standardization"
            )
