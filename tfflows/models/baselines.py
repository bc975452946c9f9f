"""Densities that others are compared with: a Gaussian, and a mixture of Gaussians by EM.

They are not trained step by step but estimated from all rows at once, by `estimate`.
"""

from __future__ import annotations

import inspect
import math
import warnings

import keras
import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.checks import check_seed
from tfflows.distributions import get
from tfflows.models.cells import Dequantized
from tfflows.models.density import DensityModel
from tfflows.models.linear import AffineFlow
from tfflows.models.standardized import Standardized
from tfflows.random import from_tails, tail_rows
from tfflows.tracking import AdoptedModule

# Beyond this the square of a float32 overflows; such a row is outside of any support.
_LARGEST = 1e18
_COMMON = {"self", "dim", "seed", "name", "trainable"}


class Baseline(Standardized, DensityModel):
    """A density of vectors without a flow, estimated from all rows at once.

    A subclass makes its variables in `_build`, and defines `_estimate` (from float64 rows),
    `_log_density` and `_draw`, all of rows that are standardised, and have the noise of
    `Dequantized`, already where that is asked for.

    Args:
      dim: length of the data vector.
      standardize: put the data's mean and standard deviation into the model; see
        `set_standardization`.
      dequantize: see `Dequantized`, which a subclass is too.
      seed: of what is random in the estimation.
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
        """The constructor's arguments that say of what shape one datum is."""
        return {"dim": event_shape[0]}

    @classmethod
    def default_arguments(cls) -> dict:
        """The arguments that a config of the zoo may set, each with its default."""
        parameters = inspect.signature(cls.__init__).parameters
        return {name: p.default for name, p in parameters.items() if name not in _COMMON}

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    @property
    def initialized(self) -> bool:
        """Whether `estimate` has been called, or weights loaded of a model where it has been."""
        return bool(self.parameters.estimated.numpy())

    def estimate(self, rows) -> None:
        """Sets the parameters by maximum likelihood (see the class) from all `rows`.

        Args:
          rows: `[n, dim]`, raw: set a standardisation before.

        Raises:
          ValueError: for another shape, rows that are not finite, or too few of them.
        """
        rows, _ = self.learn_columns(rows, {})
        self._estimate(_checked(self, rows))
        self.parameters.estimated.assign(1)

    def initialize(self, x, context=None) -> None:
        """Estimates from the batch `x` a model that has not been: where `fit` starts from."""
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

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**self._config, "name": self.name, **self.columns_config()}


def _checked(model, rows) -> np.ndarray:
    """Rows as a model is estimated from them: float64, with noise, standardised."""
    dim, standardize = model.event_shape[0], model._standardize
    rows = np.asarray(rows, np.float64)
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise ValueError(f"rows: expected shape [n, {dim}], got {list(rows.shape)}")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise ValueError(f"rows: expected finite numbers, row {np.argmin(finite)} is not")
    if len(rows) < 2:
        raise ValueError(f"rows: expected at least 2, got {len(rows)}")
    rows = model.noisy(rows)
    if standardize is not None:
        rows = standardize.inverse(tf.constant(rows)).numpy().astype(np.float64)
    small = (np.abs(rows) <= _LARGEST).all(axis=1)
    if not small.all():
        raise ValueError(
            f"rows: expected numbers within +-{_LARGEST:g}, row {np.argmin(small)} is beyond"
        )
    return rows


def pick(cdf, u):
    """The first index at which a cumulative distribution, along the last axis, is above `u`.

    Args:
      cdf: `[..., n]`, up to a factor; a share of zero is never picked.
      u: `[...]`, strictly between 0 and 1.

    Returns:
      `int32` `[...]`.
    """
    shares = cdf[..., :-1] / cdf[..., -1:]
    return tf.reduce_sum(tf.cast(u[..., tf.newaxis] >= shares, tf.int32), axis=-1)


@keras.saving.register_keras_serializable("tfflows")
class Gaussian(AffineFlow):
    """The Gaussian with a full covariance, by maximum likelihood in closed form.

    It is a flow of one affine map, with all that a flow has; `estimate` sets mean and covariance.

    Args:
      **kwargs: those of `Family`; the base has to be normal.
    """

    def estimate(self, rows) -> None:
        """Sets mean and covariance to those of `rows`.

        Args:
          rows: `[n, dim]`, raw: set a standardisation before.

        Raises:
          ValueError: for another shape, rows that are not finite, or a singular covariance.
        """
        if not self.supports_temperature:
            raise ValueError(f"base: a Gaussian has a normal one, got {self.base.name}")
        rows, _ = self.learn_columns(rows, {})
        rows = _checked(self, rows)
        covariance = np.atleast_2d(np.cov(rows, rowvar=False, bias=True))
        # Columns may be of any scales; but beyond this one is as good as a function of the others.
        std = np.sqrt(np.diag(covariance))
        if not std.all() or np.linalg.cond(covariance / np.outer(std, std)) > 1e12:
            raise ValueError(
                "rows: expected a covariance of full rank, got a singular one (a constant column, "
                "one that repeats others, or fewer rows than columns)"
            )
        affine = self.bijector.bijectors[-1]
        affine.matrix.assign(np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32))
        affine.shift.assign(rows.mean(axis=0).astype(np.float32))


@keras.saving.register_keras_serializable("tfflows")
class GaussianMixture(Dequantized, Baseline):
    """A mixture of Gaussians with full covariances, estimated by scikit-learn's EM.

    Args:
      dim: length of the data vector.
      components: number of Gaussians.
      regularization: added to the diagonal of each covariance, so that none collapses onto a row.
      standardize: put the data's mean and standard deviation into the model.
      dequantize: give numbers that repeat noise; see `Dequantized`.
      seed: of the k-means that EM starts from.
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
        # Of each precision U U^T the triangle U, with the logarithm of its diagonal.
        p.precision = tf.Variable(tf.zeros([components, dim, dim]), name="precision")

    def _factors(self):
        raw = self.parameters.precision
        diagonal = tf.linalg.diag_part(raw)
        upper = tf.linalg.set_diag(tf.linalg.band_part(raw, 0, -1), tf.exp(diagonal))
        return upper, tf.reduce_sum(diagonal, axis=-1)

    def _estimate(self, rows):
        from sklearn import exceptions, mixture  # slow to import, and needed here alone

        components = self._config["components"]
        if len(rows) < components:
            raise ValueError(f"rows: expected at least one a component, {components}: {len(rows)}")
        em = mixture.GaussianMixture(
            components,
            reg_covar=self._config["regularization"],
            max_iter=500,
            random_state=self.seed % 2**32,
        )
        with warnings.catch_warnings():
            # The likelihood rises at every step: where the last one leaves it is no error.
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            try:
                em.fit(rows)
            except ValueError as error:
                reason = str(error).split(".")[0]
                raise ValueError(f"regularization: too small for these rows: {reason}") from None
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
