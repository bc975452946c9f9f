"""The three calls of a PyTorch flow, eager, as its users write them."""

from __future__ import annotations

import torch


def calls(module, log_prob, sample, x) -> tuple[dict, int]:
    """The calls `train_step`, `log_prob` and `sample`, and the number of parameters.

    Args:
      module: holds the parameters.
      log_prob, sample: functions of a batch and of no argument, respectively.
      x: the batch.
    """
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)

    def train_step():
        optimizer.zero_grad()
        loss = -log_prob(x).mean()
        loss.backward()
        optimizer.step()

    def without_gradient(call):
        def run():
            with torch.no_grad():
                return call()

        return run

    parameters = sum(p.numel() for p in module.parameters() if p.requires_grad)
    return {
        "train_step": train_step,
        "log_prob": without_gradient(lambda: log_prob(x)),
        "sample": without_gradient(sample),
    }, parameters
