"""The reference flows in nflows."""

from __future__ import annotations

import torch
from nflows.distributions import StandardNormal
from nflows.flows import Flow
from nflows.nn.nets import MLP
from nflows.transforms import (
    AffineCouplingTransform,
    CompositeTransform,
    MaskedAffineAutoregressiveTransform,
    MaskedPiecewiseRationalQuadraticAutoregressiveTransform,
    ReversePermutation,
)

from benchmarks import torch_steps
from benchmarks.tasks import Sizes


class _MLP(MLP):
    def forward(self, inputs, context=None):
        return super().forward(inputs)


def build(task: str, sizes: Sizes) -> tuple[dict, int]:
    """The calls of `task`'s flow, and its number of parameters."""
    torch.manual_seed(0)
    if task == "realnvp":
        transforms = [
            AffineCouplingTransform(
                torch.arange(sizes.dim) % 2 == index % 2,
                lambda inputs, outputs: _MLP([inputs], [outputs], sizes.hidden),
            )
            for index in range(sizes.couplings)
        ]
    else:
        # A layer before the one block makes two hidden layers.
        network = {"num_blocks": 1, "use_residual_blocks": False}
        transforms = []
        for _ in range(sizes.autoregressions):
            transforms.append(ReversePermutation(sizes.dim))
            if task == "maf":
                transforms.append(
                    MaskedAffineAutoregressiveTransform(sizes.dim, sizes.units, **network)
                )
            else:
                transforms.append(
                    MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
                        sizes.dim,
                        sizes.units,
                        num_bins=sizes.bins,
                        tails="linear",
                        tail_bound=3.0,
                        **network,
                    )
                )
    flow = Flow(CompositeTransform(transforms), StandardNormal([sizes.dim]))
    return torch_steps.calls(
        flow, flow.log_prob, lambda: flow.sample(sizes.batch), torch.randn(sizes.batch, sizes.dim)
    )
