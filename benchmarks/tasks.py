"""Defines what is timed: reference flows, the same for every library, and three calls of each."""

from __future__ import annotations

import dataclasses

LIBRARIES = ("tfflows", "zuko", "nflows", "normflows", "flowjax")
TASKS = ("realnvp", "maf", "nsf_ar", "glow")
WITH_GLOW = ("tfflows", "normflows")  # the others have no image flows
WHATS = ("train_step", "log_prob", "sample")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Sizes of the flows and of the batch.

    Each task has its own kind of layer: `couplings` affine couplings (realnvp), or
    `autoregressions` autoregressive layers with an affine map (maf) or a rational-quadratic spline
    (nsf_ar). Their networks have two hidden layers. Glow is a flow of images, with `levels` levels
    of `steps` steps and networks of `channels` hidden channels. All flows are float32, trained by
    Adam at a rate of 1e-3.
    """

    dim: int = 64
    batch: int = 512
    units: int = 128
    couplings: int = 8
    autoregressions: int = 5
    bins: int = 8
    image: tuple[int, int, int] = (32, 32, 3)
    images: int = 16
    levels: int = 3
    steps: int = 4
    channels: int = 64

    @property
    def hidden(self) -> tuple[int, int]:
        """Widths of the hidden layers of each network."""
        return (self.units, self.units)


def libraries_of(task: str) -> tuple[str, ...]:
    """The libraries that have the flow of a task."""
    return WITH_GLOW if task == "glow" else LIBRARIES


def slow(task: str, what: str) -> bool:
    """Whether libraries need `dim` passes of the network: true for autoregressive sampling."""
    return what == "sample" and task in ("maf", "nsf_ar")
