"""What is timed: reference flows, the same for every library, and three calls of each."""

from __future__ import annotations

import dataclasses

LIBRARIES = ("tfflows", "zuko", "nflows", "normflows", "flowjax")
TASKS = ("realnvp", "maf", "nsf_ar", "glow")
WITH_GLOW = ("tfflows", "normflows")  # the others have no images
WHATS = ("train_step", "log_prob", "sample")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Sizes of the flows and of the batch.

    Each task has layers of its own kind: `couplings` affine couplings (realnvp), or as many
    `autoregressions` of an affine map (maf) or of a rational-quadratic spline (nsf_ar), on networks
    of two hidden layers. Glow is one of images, of `levels` levels of `steps` steps, on networks of
    `channels` hidden channels. All of them float32, trained by Adam at a rate of 1e-3.
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
        """The hidden layers of each network."""
        return (self.units, self.units)


def libraries_of(task: str) -> tuple[str, ...]:
    """The libraries that have the flow of a task."""
    return WITH_GLOW if task == "glow" else LIBRARIES


def slow(task: str, what: str) -> bool:
    """Whether libraries take `dim` passes of the network for it: sampling by autoregression."""
    return what == "sample" and task in ("maf", "nsf_ar")
