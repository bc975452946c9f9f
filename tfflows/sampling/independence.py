"""Metropolis-Hastings whose proposals are a model's draws, independent of the chain's state."""

from __future__ import annotations

import collections
from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.models import DensityModel

_Results = collections.namedtuple(
    "IndependenceResults", ["target_log_prob", "log_acceptance_correction", "proposal_log_prob"]
)


class UncalibratedIndependence(tfp.mcmc.TransitionKernel):
    """Proposes draws of a model; `tfp.mcmc.MetropolisHastings` accepts or rejects them.

    Args:
      target_log_prob_fn: unnormalised log-density, `[chains, *event]` to `[chains]`, nats.
      proposal: the model, which takes no context.
      name: name of the kernel.
    """

    def __init__(
        self,
        target_log_prob_fn: Callable[[tf.Tensor], tf.Tensor],
        proposal: DensityModel,
        name: str = "independence",
    ):
        self._parameters = dict(target_log_prob_fn=target_log_prob_fn, proposal=proposal, name=name)
        check_proposal(proposal)
        self._proposal = proposal
        self._target_log_prob_fn = target_log_prob_fn

    @property
    def parameters(self) -> dict:
        """The constructor's arguments."""
        return self._parameters

    @property
    def is_calibrated(self) -> bool:
        """False: by itself the chain has the proposal's distribution."""
        return False

    def one_step(self, current_state, previous_kernel_results, seed=None):
        """Returns the proposal, and `log q(x) - log q(x')`, which corrects the target's ratio."""
        seed = tfp.random.sanitize_seed(seed)
        chains = tf.shape(current_state)[: -len(self._proposal.event_shape)]
        number = tf.range(tf.reduce_prod(chains), dtype=tf.int64)
        key = tf.fill(tf.shape(number), tf.bitcast(seed, tf.int64))
        state, log_q = self._proposal.draw_and_log_prob(
            tf.stack([key, number], axis=1), tf.ones(tf.shape(number))
        )
        state = tf.reshape(state, tf.shape(current_state))
        state = tf.ensure_shape(state, current_state.shape)
        log_q = tf.reshape(log_q, tf.shape(previous_kernel_results.proposal_log_prob))
        return state, _Results(
            target_log_prob=self._target_log_prob_fn(state),
            log_acceptance_correction=previous_kernel_results.proposal_log_prob - log_q,
            proposal_log_prob=log_q,
        )

    def bootstrap_results(self, init_state):
        """Log-densities of the first state, under target and proposal."""
        init_state = tf.convert_to_tensor(init_state)
        event, dtype = tuple(self._proposal.event_shape), self._proposal.event_dtype
        if init_state.dtype != dtype or init_state.shape[-len(event) :] != event:
            raise ValueError(
                f"init_state: expected {dtype.name} [chains, {', '.join(map(str, event))}], "
                f"got {init_state.dtype.name} {init_state.shape.as_list()}"
            )
        target_log_prob = self._target_log_prob_fn(init_state)
        log_q = self._proposal.log_prob_fn(tf.reshape(init_state, [-1, *event]))
        return _Results(
            target_log_prob=target_log_prob,
            log_acceptance_correction=tf.zeros_like(target_log_prob),
            proposal_log_prob=tf.reshape(log_q, tf.shape(target_log_prob)),
        )


def check_proposal(model) -> None:
    """Raises a ValueError unless `model` can be sampled without a context."""
    if not isinstance(model, DensityModel):
        raise ValueError(f"proposal: expected a DensityModel, got a {type(model).__name__}")
    if model.context_shape is not None:
        raise ValueError(
            f"proposal: expected a model without a context, got {model.name}, which takes one"
        )
    if not model.initialized:
        raise ValueError("proposal: expected a trained model, got one that has seen no data")


def independence_metropolis(
    target_log_prob_fn: Callable[[tf.Tensor], tf.Tensor], proposal: DensityModel
) -> tfp.mcmc.MetropolisHastings:
    """Metropolis-Hastings with a model as the independence proposal.

    The greatest ratio of target to proposal limits how fast a chain mixes: a chain that reaches a
    region where the proposal has far less mass than the target stays there for long.

    Args:
      target_log_prob_fn: unnormalised log-density, `[chains, *event]` to `[chains]`, nats.
      proposal: a model, which takes no context.

    Returns:
      The kernel, for `tfp.mcmc.sample_chain`; start it at draws of the model.

    Raises:
      ValueError: if the model takes a context, or has seen no data.

    Reference: Tierney, Markov Chains for Exploring Posterior Distributions, 1994.
    https://doi.org/10.1214/aos/1176325750
    """
    return tfp.mcmc.MetropolisHastings(UncalibratedIndependence(target_log_prob_fn, proposal))
