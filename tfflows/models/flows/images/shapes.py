"""Shapes and masks of images that flows are built for."""

from __future__ import annotations

import numpy as np


def check_mask(mask: np.ndarray, argument: str) -> np.ndarray:
    """Returns `mask`; raises a ValueError that names `argument` if it keeps all or nothing."""
    if mask.all() or not mask.any():
        size = " x ".join(map(str, mask.shape))
        raise ValueError(f"{argument}: a coupling of {size} numbers would keep all or none of them")
    return mask


def squeezed(shape, argument: str) -> tuple[int, int, int]:
    """Returns the shape after a squeeze, or raises a ValueError that names `argument`."""
    height, width, channels = shape
    if height % 2 or width % 2:
        raise ValueError(
            f"{argument}: too many for this image: {height} x {width} pixels cannot be halved again"
        )
    return height // 2, width // 2, 4 * channels
