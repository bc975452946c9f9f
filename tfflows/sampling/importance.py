"""Importance sampling with a model as the proposal."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfflows.checks import whole_number
from tfflows.models import DensityModel
from tfflows.sampling.independence import check_proposal

_BATCH = 8192


@dataclasses.dataclass(frozen=True, eq=False)
class Weighted:
    """Draws from a proposal q, weighted to represent a target p.

    Attributes:
      samples: `[n, *event]`.
      log_weights: float64 `[n]`, `log p~(x) - log q(x)` with p~ = Z p the unnormalised target; -inf
        for a draw outside of the target's support.
    """

    samples: np.ndarray
    log_weights: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """The weights, scaled to sum to 1: float64 `[n]`."""
        weights = np.exp(self.log_weights - self.log_weights.max())
        return weights / weights.sum()

    @property
    def effective_sample_size(self) -> float:
        """Kish's: roughly how many independent draws of the target would do as well.

        It is `1 / sum(weights^2)`, between 1 and n. If the target has heavier tails than the
        proposal, the weights can have an infinite variance that no finite sample shows.

        Reference: Kong, A Note on Importance Sampling using Standardized Weights, 1992.
        """
        return float(1.0 / np.sum(self.weights**2))

    @property
    def log_normalizer(self) -> float:
        """The estimate of log Z, nats: the log of the mean weight, which is unbiased for Z."""
        top = self.log_weights.max()
        return float(top + np.log(np.mean(np.exp(self.log_weights - top))))

    @property
    def log_normalizer_error(self) -> float:
        """One standard error of `log_normalizer`: the mean weight's relative standard error."""
        n = len(self.log_weights)
        return math.sqrt(max(n * float(np.sum(self.weights**2)) - 1.0, 0.0) / (n - 1))

    def expectation(self, function: Callable, log_normalizer: float | None = None):
        """Estimates the target's expectation of a function.

        Args:
          function: from samples `[n, *event]` to values `[n]` or `[n, k]`.
          log_normalizer: log Z, if it is known; the estimate is then unbiased. Without it the
            weights are normalised by their own sum, with a bias that falls as 1/n.

        Returns:
          `(mean, error)`: the estimate and one standard error, each a number or `[k]`.
        """
        values = np.asarray(function(self.samples), np.float64)
        n = len(self.log_weights)
        if values.shape[:1] != (n,):
            raise ValueError(f"function: expected values of shape [{n}], got {list(values.shape)}")
        shape = [n] + [1] * (values.ndim - 1)
        # A draw outside of the target counts for nothing, even if the function is undefined there.
        values = np.where(np.isneginf(self.log_weights).reshape(shape), 0.0, values)
        if log_normalizer is not None:
            terms = np.exp(self.log_weights - log_normalizer).reshape(shape) * values
            return terms.mean(axis=0), terms.std(axis=0, ddof=1) / math.sqrt(n)
        weights = self.weights.reshape(shape)
        mean = np.sum(weights * values, axis=0)
        return mean, np.sqrt(np.sum((weights * (values - mean)) ** 2, axis=0))

    def resample(self, n: int, seed: int) -> np.ndarray:
        """Draws `n` of the samples with replacement, by their weights (systematic resampling)."""
        n = whole_number("n", n, 1)
        ladder = (np.arange(n) + np.random.default_rng(seed).random()) / n
        rows = np.searchsorted(np.cumsum(self.weights), ladder, side="right")
        return self.samples[np.minimum(rows, len(self.samples) - 1)]


def importance_sampling(
    proposal: DensityModel,
    target_log_prob_fn: Callable[[tf.Tensor], tf.Tensor],
    n: int,
    seed: int | None = None,
    start: int = 0,
) -> Weighted:
    """Draws from a model and weights the draws for a target.

    Args:
      proposal: the model; its density has to be positive wherever the target's is.
      target_log_prob_fn: unnormalised log-density, `[batch, *event]` to `[batch]`, nats.
      n: number of draws, at least 2.
      seed: key of the draws; `None` takes a fresh one.
      start: number of the first draw (see `DensityModel.sample`).

    Returns:
      The weighted draws.

    Raises:
      ValueError: if the target is NaN or +inf at a draw, or -inf at all of them, or if the model's
        log-density at one of its own draws is not finite.
    """
    n = whole_number("n", n, 2)
    check_proposal(proposal)
    if seed is None:
        seed = int(tf.random.uniform([], maxval=2**62, dtype=tf.int64))
    target, samples, log_weights = tf.function(target_log_prob_fn), [], []
    for first in range(0, n, _BATCH):
        count = min(_BATCH, n - first)
        x, log_q = proposal.sample_and_log_prob(count, seed, start + first)
        log_q = log_q.numpy()
        if not np.isfinite(log_q).all():
            value = log_q[np.argmin(np.isfinite(log_q))]
            raise ValueError(
                f"proposal: expected a finite log-density at each of its draws, got {value}"
            )
        log_p = tf.convert_to_tensor(target(x))
        if log_p.shape != (count,):
            raise ValueError(
                f"target_log_prob_fn: expected shape [{count}], got {log_p.shape.as_list()}"
            )
        samples.append(x.numpy())
        log_weights.append(log_p.numpy().astype(np.float64) - log_q)
    log_weights = np.concatenate(log_weights)
    bad = np.isnan(log_weights) | np.isposinf(log_weights)
    if bad.any():
        value = log_weights[np.argmax(bad)]
        raise ValueError(f"target_log_prob_fn: expected finite values or -inf, got {value}")
    if np.isneginf(log_weights).all():
        raise ValueError(
            f"target_log_prob_fn: expected a finite value for some draw, got -inf for all {n}"
        )
    return Weighted(np.concatenate(samples), log_weights)
