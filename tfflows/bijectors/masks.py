"""Masks of images `[H, W, C]`: true where a coupling leaves the image unchanged."""

from __future__ import annotations

import numpy as np

SIDES = ("top", "bottom", "left", "right")


def checkerboard_mask(shape, odd: bool = False) -> np.ndarray:
    """A checkerboard: true where row + column is even, or odd.

    Args:
      shape: `(H, W, C)`.
      odd: whether the odd places are true, rather than the even ones.

    Returns:
      `[H, W, C]` booleans.
    """
    height, width, channels = shape
    parity = (np.arange(height)[:, None] + np.arange(width)) % 2
    return np.repeat((parity == int(odd))[..., None], channels, axis=-1)


def channel_mask(shape, last: bool = False) -> np.ndarray:
    """True in the first half of the channels, or in the last (the larger for an odd number).

    Args:
      shape: `(H, W, C)`, at least two channels.
      last: whether the last half is true, rather than the first.

    Returns:
      `[H, W, C]` booleans.
    """
    height, width, channels = shape
    if channels < 2:
        raise ValueError(f"shape: a channel mask needs at least 2 channels, got {channels}")
    half = (np.arange(channels) >= channels // 2) == last
    return np.broadcast_to(half, (height, width, channels)).copy()


def half_mask(shape, side: str) -> np.ndarray:
    """True in one half of the image.

    Args:
      shape: `(H, W, C)`.
      side: `"top"`, `"bottom"`, `"left"` or `"right"`: the half that is true. The middle line of
        an odd size belongs to the bottom or right.

    Returns:
      `[H, W, C]` booleans.
    """
    if side not in SIDES:
        raise ValueError(f"side: expected one of {', '.join(SIDES)}, got {side!r}")
    height, width, channels = shape
    rows, columns = np.indices((height, width))
    half = {
        "top": rows < height // 2,
        "bottom": rows >= height // 2,
        "left": columns < width // 2,
        "right": columns >= width // 2,
    }[side]
    return np.repeat(half[..., None], channels, axis=-1)
