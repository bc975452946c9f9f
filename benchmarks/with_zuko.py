"""The reference flows in zuko."""

from __future__ import annotations

import torch
import zuko

from benchmarks import torch_steps
from benchmarks.tasks import Sizes


def build(task: str, sizes: Sizes) -> tuple[dict, int]:
    """The calls of `task`'s flow, and its number of parameters."""
    torch.manual_seed(0)
    hidden = {"hidden_features": sizes.hidden}
    if task == "realnvp":
        flow = zuko.flows.RealNVP(sizes.dim, transforms=sizes.couplings, **hidden)
    elif task == "maf":
        flow = zuko.flows.MAF(sizes.dim, transforms=sizes.autoregressions, **hidden)
    else:
        flow = zuko.flows.NSF(
            sizes.dim, transforms=sizes.autoregressions, bins=sizes.bins, **hidden
        )
    return torch_steps.calls(
        flow,
        lambda x: flow().log_prob(x),
        lambda: flow().sample((sizes.batch,)),
        torch.randn(sizes.batch, sizes.dim),
    )
