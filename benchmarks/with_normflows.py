"""The reference flows in normflows."""

from __future__ import annotations

import normflows
import torch
from normflows.flows.neural_spline.autoregressive import (
    MaskedPiecewiseRationalQuadraticAutoregressive,
)

from benchmarks import torch_steps
from benchmarks.tasks import Sizes


def _layers(task: str, sizes: Sizes) -> list:
    if task == "realnvp":
        half = sizes.dim // 2
        widths = [half, *sizes.hidden, 2 * (sizes.dim - half)]
        return [
            normflows.flows.AffineCouplingBlock(
                normflows.nets.MLP(widths, init_zeros=True),
                split_mode=("channel", "channel_inv")[index % 2],
            )
            for index in range(sizes.couplings)
        ]
    # A layer before the one block makes two hidden layers. The autoregressive layers of normflows
    # run the network once to sample; reversed, they run it once to score.
    network = {"num_blocks": 1, "use_residual_blocks": False}
    if task == "maf":
        return [
            normflows.flows.Reverse(
                normflows.flows.MaskedAffineAutoregressive(sizes.dim, sizes.units, **network)
            )
            for _ in range(sizes.autoregressions)
        ]
    return [
        normflows.flows.Reverse(
            MaskedPiecewiseRationalQuadraticAutoregressive(
                sizes.dim,
                sizes.units,
                num_bins=sizes.bins,
                tails="linear",
                tail_bound=3.0,
                **network,
            )
        )
        for _ in range(sizes.autoregressions)
    ]


def _glow(sizes: Sizes) -> tuple[dict, int]:
    height, width, channels = sizes.image
    bases, merges, levels = [], [], []
    for level in range(sizes.levels):  # the last is nearest to the data
        ratio, scale = 2 ** (sizes.levels + 1 - level), 2 ** (sizes.levels - level)
        blocks = [
            normflows.flows.GlowBlock(channels * ratio, sizes.channels, split_mode="channel")
            for _ in range(sizes.steps)
        ]
        levels.append([*blocks, normflows.flows.Squeeze()])
        shape = (channels * ratio, height // scale, width // scale)
        if level:  # the other half goes on to the next level
            merges.append(normflows.flows.Merge())
            shape = (shape[0] // 2, *shape[1:])
        bases.append(normflows.distributions.DiagGaussian(shape, trainable=False))
    flow = normflows.MultiscaleFlow(bases, levels, merges)
    return torch_steps.calls(
        flow,
        lambda x: flow.log_prob(x, None),  # no classes
        lambda: flow.sample(sizes.images),
        torch.rand(sizes.images, channels, height, width),
    )


def build(task: str, sizes: Sizes) -> tuple[dict, int]:
    """The calls of `task`'s flow, and its number of parameters."""
    torch.manual_seed(0)
    if task == "glow":
        return _glow(sizes)
    base = normflows.distributions.DiagGaussian(sizes.dim, trainable=False)
    flow = normflows.NormalizingFlow(base, _layers(task, sizes))
    return torch_steps.calls(
        flow, flow.log_prob, lambda: flow.sample(sizes.batch), torch.randn(sizes.batch, sizes.dim)
    )
