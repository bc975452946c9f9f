"""Gibbs sampling: draws the coordinates in turn, each given the others."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

_Results = collections.namedtuple("GibbsResults", ["is_accepted"])


@dataclasses.dataclass(frozen=True)
class Block:
    """Coordinates that a `tfp.mcmc` kernel updates with the rest fixed: Metropolis within Gibbs.

    Attributes:
      indices: the coordinates.
      kernel: makes the kernel from the log-density of these coordinates given the others, a
        function of `[chains, len(indices)]`.
    """

    indices: Sequence[int]
    kernel: Callable[[Callable[[tf.Tensor], tf.Tensor]], tfp.mcmc.TransitionKernel]


class Gibbs(tfp.mcmc.TransitionKernel):
    """One sweep of Gibbs sampling over vectors, for `tfp.mcmc.sample_chain`.

    Args:
      updates: the updates of a sweep, in order. A function `(state, seed) -> state` draws some of
        the coordinates exactly, from their conditional distribution given the rest. If that is not
        possible, a `Block` takes one step of a Metropolis kernel instead.
      target_log_prob_fn: unnormalised log-density, `[chains, dim]` to `[chains]`, nats; needed only
        for blocks.
      name: name of the kernel.

    The results' `is_accepted` has an entry for each block: bool `[chains]`.

    Raises:
      ValueError: if there are no updates, or there is a block but no target.

    Reference: Geman & Geman, Stochastic Relaxation, Gibbs Distributions, and the Bayesian
    Restoration of Images, 1984. https://doi.org/10.1109/TPAMI.1984.4767596
    """

    def __init__(
        self,
        updates: Sequence[Callable | Block],
        target_log_prob_fn: Callable[[tf.Tensor], tf.Tensor] | None = None,
        name: str = "gibbs",
    ):
        self._parameters = dict(updates=updates, target_log_prob_fn=target_log_prob_fn, name=name)
        self._updates = list(updates)
        if not self._updates:
            raise ValueError("updates: expected at least one, got none")
        blocks = [update for update in self._updates if isinstance(update, Block)]
        if blocks and target_log_prob_fn is None:
            raise ValueError(
                "target_log_prob_fn: expected a function, because a Block needs it, got None"
            )
        for block in blocks:
            indices = list(block.indices)
            if not indices or min(indices) < 0 or len(set(indices)) < len(indices):
                raise ValueError(
                    f"indices: expected different coordinates, none negative, got {indices}"
                )
        self._target_log_prob_fn = target_log_prob_fn
        self._blocks = len(blocks)

    @property
    def parameters(self) -> dict:
        """The constructor's arguments."""
        return self._parameters

    @property
    def is_calibrated(self) -> bool:
        """True: each update leaves the target invariant, and so does the sweep."""
        return True

    def one_step(self, current_state, previous_kernel_results, seed=None):
        """Runs one sweep."""
        seeds = tfp.random.split_seed(tfp.random.sanitize_seed(seed), n=len(self._updates))
        state, accepted = current_state, []
        for update, seed in zip(self._updates, tf.unstack(seeds), strict=True):
            if isinstance(update, Block):
                state, is_accepted = self._step(update, state, seed)
                accepted.append(is_accepted)
            else:
                state = tf.ensure_shape(update(state, seed), current_state.shape)
        return state, _Results(is_accepted=tuple(accepted))

    def bootstrap_results(self, init_state):
        """Results to start with, before the first sweep."""
        init_state = tf.convert_to_tensor(init_state)
        for update in self._updates:
            if isinstance(update, Block) and max(update.indices) >= init_state.shape[-1]:
                raise ValueError(
                    f"indices: expected coordinates below {init_state.shape[-1]}, got "
                    f"{max(update.indices)}"
                )
        accepted = tf.ones_like(init_state[..., 0], tf.bool)
        return _Results(is_accepted=(accepted,) * self._blocks)

    def _step(self, block, state, seed):
        indices = list(block.indices)
        source = np.arange(state.shape[-1])
        source[indices] = state.shape[-1] + np.arange(len(indices))

        def put(values):
            return tf.gather(tf.concat([state, values], axis=-1), source, axis=-1)

        kernel = block.kernel(lambda values: self._target_log_prob_fn(put(values)))
        values = tf.gather(state, indices, axis=-1)
        values, results = kernel.one_step(values, kernel.bootstrap_results(values), seed=seed)
        while not hasattr(results, "is_accepted"):  # a kernel that wraps another
            results = results.inner_results
        return put(values), results.is_accepted
