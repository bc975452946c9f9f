"""Models of raw tables: the data's statistics, and the dtype that the data need."""

from __future__ import annotations

import tensorflow as tf

from tfflows.bijectors.normalization import Standardize


class Standardized:
    """A model that may hold the data's mean and standard deviation, as `_standardize`."""

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
            raise ValueError("standardize: the model was built without it")
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
