"""nflows' flows for tables, with the settings of its authors' experiments."""

from __future__ import annotations

import time

import numpy as np
import torch
from nflows.distributions import StandardNormal
from nflows.flows import Flow
from nflows.nn.nets import ResidualNet
from nflows.transforms import (
    CompositeTransform,
    LULinear,
    MaskedAffineAutoregressiveTransform,
    MaskedPiecewiseRationalQuadraticAutoregressiveTransform,
    PiecewiseRationalQuadraticCouplingTransform,
    RandomPermutation,
)
from torch import nn

_LAYERS, _WIDTH, _BLOCKS, _DROPOUT = 6, 128, 2, 0.1
_SPLINE = {"num_bins": 8, "tails": "linear", "tail_bound": 3.0}
_MASKED = {"num_blocks": _BLOCKS, "use_residual_blocks": True}


def _network(inputs: int, outputs: int) -> nn.Module:
    return ResidualNet(inputs, outputs, _WIDTH, num_blocks=_BLOCKS, dropout_probability=_DROPOUT)


def _layer(name: str, dim: int, index: int):
    if name == "nflows-maf":
        return MaskedAffineAutoregressiveTransform(dim, _WIDTH, **_MASKED)
    if name == "nflows-nsf_ar":
        return MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
            dim, _WIDTH, dropout_probability=_DROPOUT, **_SPLINE, **_MASKED
        )
    mask = (torch.arange(dim) % 2 == index % 2).int()
    return PiecewiseRationalQuadraticCouplingTransform(mask, _network, **_SPLINE)


def build(name: str, dim: int) -> Flow:
    """The flow `nflows-maf`, `nflows-nsf_c` or `nflows-nsf_ar` for rows of `dim` numbers."""
    transforms = []
    for index in range(_LAYERS):
        mixers = [RandomPermutation(dim), LULinear(dim, identity_init=True)]
        transforms += [*mixers, _layer(name, dim, index)]
    return Flow(CompositeTransform(transforms), StandardNormal([dim]))


def _log_prob(flow: Flow, rows: torch.Tensor) -> np.ndarray:
    flow.eval()
    with torch.no_grad():
        return torch.cat([flow.log_prob(part) for part in rows.split(1000)]).double().numpy()


def run(name, parts, widths, seed: int, steps: int, batch: int, every: int) -> dict:
    """Trains and tests one flow.

    Args:
      name: see `build`.
      parts: `train`, `validation` and `test`, standardised rows.
      widths: `[dim]`, widths of the uniform noise that each step adds to the training rows.
      seed: seed of the weights, the row order and the noise.
      steps, batch, every: steps, rows in each, and steps between two validations.

    Raises:
      RuntimeError: if the loss is no longer finite.
    """
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    train, validation, test = (torch.tensor(parts[p]) for p in ("train", "validation", "test"))
    widths = torch.tensor(widths)
    flow = build(name, train.shape[1])
    optimizer = torch.optim.Adam(flow.parameters(), 5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    began, order, best = time.monotonic(), torch.empty(0, dtype=torch.long), None
    for step in range(1, steps + 1):
        while len(order) < batch:
            order = torch.cat([order, torch.randperm(len(train), generator=random)])
        rows, order = train[order[:batch]], order[batch:]
        rows = rows + (torch.rand(rows.shape, generator=random) - 0.5) * widths
        flow.train()
        optimizer.zero_grad()
        loss = -flow.log_prob(rows).mean()
        if not torch.isfinite(loss):
            raise RuntimeError(f"loss {loss.item()} at step {step}")
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % every == 0 or step == steps:
            mean = _log_prob(flow, validation).mean()
            if best is None or mean > best[0]:
                state = {key: value.clone() for key, value in flow.state_dict().items()}
                best = mean, step, state
    seconds = round(time.monotonic() - began, 1)
    flow.load_state_dict(best[2])
    log_prob = _log_prob(flow, test)
    return {
        "test": float(log_prob.mean()),
        "error": float(2 * log_prob.std() / len(log_prob) ** 0.5),
        "parameters": sum(p.numel() for p in flow.parameters() if p.requires_grad),
        "chosen_step": best[1],
        "seconds": seconds,
    }
