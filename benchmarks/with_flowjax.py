"""The reference flows in flowjax, jitted."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import paramax
from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import StandardNormal
from flowjax.flows import coupling_flow, masked_autoregressive_flow
from flowjax.train.losses import MaximumLikelihoodLoss
from flowjax.train.train_utils import step

from benchmarks.tasks import Sizes


def _flow(task: str, sizes: Sizes):
    keywords = {"base_dist": StandardNormal((sizes.dim,)), "nn_width": sizes.units, "nn_depth": 2}
    key = jax.random.key(0)
    if task == "realnvp":
        return coupling_flow(key, flow_layers=sizes.couplings, **keywords)
    if task == "nsf_ar":
        keywords["transformer"] = RationalQuadraticSpline(knots=sizes.bins - 1, interval=3)
    return masked_autoregressive_flow(key, flow_layers=sizes.autoregressions, **keywords)


def build(task: str, sizes: Sizes) -> tuple[dict, int]:
    """The calls of `task`'s flow, and its number of parameters."""
    flow = _flow(task, sizes)
    x = jax.random.normal(jax.random.key(1), (sizes.batch, sizes.dim))
    params, static = eqx.partition(
        flow,
        eqx.is_inexact_array,
        is_leaf=lambda leaf: isinstance(leaf, paramax.NonTrainable),
    )
    optimizer, loss = optax.adam(1e-3), MaximumLikelihoodLoss()
    state = {"params": params, "optimizer": optimizer.init(params)}

    def train_step():
        # What flowjax's own fit_to_data runs for each batch.
        state["params"], state["optimizer"], _ = step(
            state["params"],
            static,
            x,
            optimizer=optimizer,
            opt_state=state["optimizer"],
            loss_fn=loss,
        )
        jax.block_until_ready(state["params"])

    log_prob = eqx.filter_jit(lambda flow, x: flow.log_prob(x))
    sample = eqx.filter_jit(lambda flow, key: flow.sample(key, (sizes.batch,)))
    parameters = sum(leaf.size for leaf in jax.tree.leaves(params) if isinstance(leaf, jnp.ndarray))
    return {
        "train_step": train_step,
        "log_prob": lambda: log_prob(flow, x).block_until_ready(),
        "sample": lambda: sample(flow, jax.random.key(2)).block_until_ready(),
    }, parameters
