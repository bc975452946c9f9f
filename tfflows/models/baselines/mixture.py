"""The mixture of Gaussians by expectation maximization."""

from __future__ import annotations

import math
import warnings

import keras
import numpy as np
import tensorflow as tf

from tfflows.distributions import get
from tfflows.models.baselines.base import Baseline
from tfflows.models.cells import Dequantized
from tfflows.random import from_tails, pick, tail_rows


@keras.saving.register_keras_serializable("tfflows")
class GaussianMixture(Dequantized, Baseline):
    """A mixture of Gaussians with full covariances, estimated by scikit-learn's EM.

    Args:
      dim: length of the data vector.
      components: number of Gaussians.
      regularization: added to the diagonal of each covariance, so that none collapses onto a row.
      standardize: put the data's mean and standard deviation into the model.
      dequantize: add noise to repeated numbers; see `Dequantized`.
      seed: seed of the k-means that EM starts from.
      name: name of the model.

    Reference: Dempster, Laird & Rubin, Maximum Likelihood from Incomplete Data via the EM
    Algorithm, 1977. https://doi.org/10.1111/j.2517-6161.1977.tb01600.x
    """

    def __init__(
        self,
        dim: int,
        components: int = 10,
        regularization: float = 1e-6,
        standardize: bool = False,
        dequantize: bool = False,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        if int(components) < 1:
            raise ValueError(f"components: expected at least 1, got {components}")
        if not 0 <= regularization < math.inf:
            raise ValueError(f"regularization: expected a number >= 0, got {regularization}")
        config = {"components": int(components), "regularization": float(regularization)}
        super().__init__(dim, standardize, dequantize, seed, name, trainable, **config)

    def _build(self, dim, components, regularization):
        p = self.parameters
        p.logits = tf.Variable(tf.zeros([components]), name="logits")
        p.mean = tf.Variable(tf.zeros([components, dim]), name="mean")
        # The triangle U of each precision U U^T, with the logarithm of its diagonal.
        p.precision = tf.Variable(tf.zeros([components, dim, dim]), name="precision")

    def _factors(self):
        raw = self.parameters.precision
        diagonal = tf.linalg.diag_part(raw)
        upper = tf.linalg.set_diag(tf.linalg.band_part(raw, 0, -1), tf.exp(diagonal))
        return upper, tf.reduce_sum(diagonal, axis=-1)

    def _estimate(self, rows):
        from sklearn import exceptions, mixture  # slow to import, and only needed here

        components = self._config["components"]
        if len(rows) < components:
            raise ValueError(
                f"rows: expected at least one for each of {components} components, got {len(rows)}"
            )
        em = mixture.GaussianMixture(
            components,
            reg_covar=self._config["regularization"],
            max_iter=500,
            random_state=self.seed % 2**32,
        )
        with warnings.catch_warnings():
            # The likelihood rises at every step, so stopping at the last one is no error.
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            try:
                em.fit(rows)
            except ValueError as error:
                reason = str(error).split(".")[0]
                raise ValueError(
                    f"regularization: expected a larger number for these rows: {reason}"
                ) from None
        upper = em.precisions_cholesky_
        diagonal = np.diagonal(upper, axis1=1, axis2=2)
        eye = np.eye(rows.shape[1], dtype=bool)
        weights = np.maximum(em.weights_, 1e-30)
        self.parameters.logits.assign(np.log(weights).astype(np.float32))
        self.parameters.mean.assign(em.means_.astype(np.float32))
        raw = np.where(eye, np.log(diagonal)[:, :, np.newaxis], upper)
        self.parameters.precision.assign(raw.astype(np.float32))

    def _log_density(self, x):
        upper, log_det = self._factors()
        z = tf.einsum("nkd,kde->nke", x[:, tf.newaxis] - self.parameters.mean, upper)
        log_normal = -0.5 * tf.reduce_sum(tf.square(z) + math.log(2.0 * math.pi), axis=-1)
        log_weight = tf.nn.log_softmax(self.parameters.logits)
        return tf.reduce_logsumexp(log_normal + log_det + log_weight, axis=1)

    def _draw(self, seed):
        dim = self._event_shape[0]
        v, above, rest = tail_rows(seed, 1 + dim)
        component = pick(
            tf.cumsum(tf.nn.softmax(self.parameters.logits)), from_tails(v, above)[:, 0]
        )
        upper, _ = self._factors()
        identity = tf.eye(dim, batch_shape=[upper.shape[0]])
        scale = tf.linalg.triangular_solve(upper, identity, lower=False, adjoint=True)
        scale = tf.gather(tf.ensure_shape(scale, upper.shape), component)
        z = get("normal").tail_quantile(v[:, 1:], above[:, 1:], rest[:, 1:])
        return tf.gather(self.parameters.mean, component) + tf.linalg.matvec(scale, z)
