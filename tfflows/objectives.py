"""Divergences between a model and data or an unnormalised density, for training or reporting.

`tfp.vi` defines them; here a model's numbered draws take the place of its surrogate posterior. Each
divergence is a scalar in nats that `tf.GradientTape` can differentiate.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors import inverse_and_log_det
from tfflows.models import DensityModel, Flow
from tfflows.random import row_seeds

LogProb = Callable[[tf.Tensor], tf.Tensor]


class NumberedDraws:
    """A model's numbered draws, with the interface `tfp.vi` needs of a surrogate posterior.

    `flow.distribution` would follow TFP's seeds. These are the draws of
    `model.sample(n, seed, start)`, computed in one pass with their log-density.

    Args:
      model: the model, which takes no context.
      seed: key of the draws, int or scalar tensor; `None` takes a fresh one on every run.
      start: number of the first draw, int or scalar tensor (such as `step * n`).
    """

    def __init__(self, model: DensityModel, seed=None, start=0):
        if model.context_shape is not None:
            raise ValueError(
                f"model: expected a model without a context, got {model.name}, which takes one"
            )
        self.model, self.seed, self.start = model, seed, start

    @property
    def reparameterization_type(self):
        """Whether gradients pass through the draws: they do for a flow, not for a mixture."""
        if isinstance(self.model, Flow):
            return tfp.distributions.FULLY_REPARAMETERIZED
        return tfp.distributions.NOT_REPARAMETERIZED

    def experimental_sample_and_log_prob(self, sample_shape, seed=None):
        """Draws `[n, *event]` and their log-density `[n]`; `seed` is ignored."""
        seeds = row_seeds(tf.reduce_prod(sample_shape), self.seed, self.start)
        return self.model.draw_and_log_prob(seeds, tf.ones(tf.shape(seeds)[:1]))

    def sample(self, sample_shape, seed=None):
        """Draws `[n, *event]`; `seed` is ignored."""
        return self.experimental_sample_and_log_prob(sample_shape)[0]

    def log_prob(self, x):
        """Log-density of `x` `[n, *event]`."""
        return self.model.log_prob_fn(x)


def reverse_kl(
    model: DensityModel,
    target_log_prob_fn: LogProb,
    n: int,
    seed=None,
    start=0,
    discrepancy_fn: Callable = tfp.vi.kl_reverse,
    **kwargs,
) -> tf.Tensor:
    """KL(q, p) of a model q to a target p, from the model's draws: `E_q[log q(x) - log p(x)]`.

    For an unnormalised target the result is lower than the divergence by `log Z`, whose gradient is
    0. `model.compile(target_log_prob=...)` trains on this loss.

    Args:
      model: the model.
      target_log_prob_fn: `[n, *event]` to `[n]`, nats.
      n: number of draws.
      seed, start: see `NumberedDraws`.
      discrepancy_fn: another divergence of `tfp.vi`, for a normalised target.
      **kwargs: passed to `tfp.vi.monte_carlo_variational_loss`.

    Returns:
      A scalar.
    """
    draws = NumberedDraws(model, seed, start)
    if draws.reparameterization_type is tfp.distributions.NOT_REPARAMETERIZED:
        kwargs.setdefault("gradient_estimator", tfp.vi.GradientEstimators.SCORE_FUNCTION)
    return tfp.vi.monte_carlo_variational_loss(
        target_log_prob_fn,
        draws,
        sample_size=n,
        discrepancy_fn=discrepancy_fn,
        seed=(0, 0),  # unused: the draws are numbered
        **kwargs,
    )


def forward_kl(model: DensityModel, x, log_p=0.0, context=None) -> tf.Tensor:
    """KL(p, q) of data to a model q, from samples of p: the mean of `log p(x) - log q(x)`.

    Args:
      model: the model.
      x: samples of p, `[n, *event]`.
      log_p: log-density of the samples, `[n]`. Without it this is the negative log-likelihood,
        which differs by the entropy of p, whose gradient is 0.
      context: `[n, *context_shape]` for a conditional model.

    Returns:
      A scalar.
    """
    return tf.reduce_mean(log_p - model.log_prob_fn(x, context))


def forward_kl_by_importance(
    model: DensityModel, target_log_prob_fn: LogProb, n: int, seed=None, start=0
) -> tf.Tensor:
    """KL(p, q) of an unnormalised target p to a model q, without samples of p.

    The model's draws are weighted for the target, `w = p~(x) / q(x)`, and the weights normalised by
    their sum. The estimate is consistent, with a bias that falls as 1/n. It cannot see the parts of
    the target that the model misses, because no draw falls there.

    Args:
      model: the model.
      target_log_prob_fn: `[n, *event]` to `[n]`, nats.
      n: number of draws.
      seed, start: see `NumberedDraws`.

    Returns:
      A scalar; its gradient is that of the weighted negative log-likelihood.

    Reference: Bornschein & Bengio, Reweighted Wake-Sleep, 2015. https://arxiv.org/abs/1406.2751
    """
    x = tf.stop_gradient(NumberedDraws(model, seed, start).sample([n]))
    log_p, log_q = target_log_prob_fn(x), model.log_prob_fn(x)
    log_w = tf.stop_gradient(log_p - log_q)
    log_z = tf.reduce_logsumexp(log_w) - tf.math.log(tf.cast(n, log_w.dtype))
    weights = tf.nn.softmax(log_w)
    # 0 where the weight is 0: the target's log-density may be -inf there.
    terms = tf.where(weights > 0.0, log_p - log_q, tf.zeros_like(log_q))
    return tf.reduce_sum(weights * terms) - log_z


def latent_kl(flow: Flow, x, log_p, context=None) -> tf.Tensor:
    """KL(p_z, base) between the data mapped to latents and the flow's base.

    With z = f(x) the mapped density is `p_z(z) = p(x) / |det df/dx|`, and the divergence is the
    mean of `log p_z(z) - log base(z)` over the data. It equals KL(p, q) of the data to the flow:
    fitting the data by maximum likelihood is the same as fitting the base by reverse KL, with the
    data as the source of noise and f as the generator.

    Args:
      flow: the flow.
      x: samples of the data, `[n, *event]`.
      log_p: their log-density, `[n]`.
      context: `[n, *context_shape]` for a conditional flow.

    Returns:
      A scalar.

    Reference: Papamakarios et al., Normalizing Flows for Probabilistic Modeling and Inference,
    2021, section 2.3.3. https://arxiv.org/abs/1912.02762
    """
    rank = len(flow.event_shape)
    z, log_det = inverse_and_log_det(flow.bijector, tf.identity(x), rank, context)
    axes = list(range(1, 1 + len(flow.latent_shape)))
    log_base = tf.reduce_sum(flow.base.log_prob(z), axis=axes)
    return tf.reduce_mean((log_p - log_det) - log_base)
