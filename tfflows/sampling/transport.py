"""Neural transport: chains that move in a flow's latent space."""

from __future__ import annotations

import tensorflow_probability as tfp

from tfflows.models import Flow


def precondition(
    kernel: tfp.mcmc.TransitionKernel, flow: Flow
) -> tfp.mcmc.TransformedTransitionKernel:
    """Makes a `tfp.mcmc` kernel move in the latent space of a flow.

    With x = f(z) the kernel samples `log p(f(z)) + log|det df/dz|`. If the flow fits the target,
    this is nearly the standard normal, and one step size suits all of it, however curved the target
    is. A bad fit costs speed but adds no bias.

    Args:
      kernel: a kernel over the target itself, with the target's own log-density: Langevin
        (`tfp.mcmc.MetropolisAdjustedLangevinAlgorithm`), Hamiltonian Monte Carlo,
        `tfp.mcmc.NoUTurnSampler`, or one of these under a step-size adaptation. Its step sizes
        apply to latents, whose scale is about 1.
      flow: a flow over a normal base that takes no context, preferably one that is fast from
        latents to data (coupling layers, or an inverse autoregressive flow).

    Returns:
      The kernel; the states it takes and returns are data, not latents.

    Raises:
      ValueError: if `flow` is not such a flow.

    Reference: Hoffman et al., NeuTra-lizing Bad Geometry in Hamiltonian Monte Carlo Using Neural
    Transport, 2019. https://arxiv.org/abs/1903.03704
    """
    if not isinstance(flow, Flow):
        raise ValueError(f"flow: expected a Flow, got a {type(flow).__name__}")
    if flow.base.name != "normal":
        raise ValueError(f"flow: expected a normal base, got {flow.base.name}")
    if flow.context_shape is not None:
        raise ValueError(
            f"flow: expected a flow without a context, got {flow.name}, which takes one"
        )
    if not flow.initialized:
        raise ValueError(
            "flow: expected a trained flow, got one whose ActNorm layers have seen no data"
        )
    return tfp.mcmc.TransformedTransitionKernel(kernel, flow.bijector)
