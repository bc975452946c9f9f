"""The Gaussian by maximum likelihood."""

from __future__ import annotations

import keras
import numpy as np

from tfflows.models.baselines.base import check_rows
from tfflows.models.flows.vectors.linear import AffineFlow


@keras.saving.register_keras_serializable("tfflows")
class Gaussian(AffineFlow):
    """The Gaussian with a full covariance, by maximum likelihood in closed form.

    It is a flow of one affine map, and does all that a flow does; `estimate` sets its mean and
    covariance.

    Args:
      **kwargs: those of `Family`; the base must be normal.
    """

    def estimate(self, rows) -> None:
        """Sets mean and covariance to those of `rows`.

        Args:
          rows: `[n, dim]`, raw; set a standardisation first.

        Raises:
          ValueError: for a wrong shape, rows that are not finite, or a singular covariance.
        """
        if not self.supports_temperature:
            raise ValueError(f"base: expected normal for a Gaussian, got {self.base.name}")
        rows, _ = self.learn_columns(rows, {})
        rows = check_rows(self, rows)
        covariance = np.atleast_2d(np.cov(rows, rowvar=False, bias=True))
        # Columns may have any scale, but beyond this, one is practically a function of the rest.
        std = np.sqrt(np.diag(covariance))
        if not std.all() or np.linalg.cond(covariance / np.outer(std, std)) > 1e12:
            raise ValueError(
                "rows: expected a covariance of full rank, got a singular one: a column is "
                "constant or repeats others, or there are fewer rows than columns"
            )
        affine = self.bijector.bijectors[-1]
        affine.matrix.assign(np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32))
        affine.shift.assign(rows.mean(axis=0).astype(np.float32))
