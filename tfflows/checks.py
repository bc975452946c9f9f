"""Checks of arguments that many functions share."""

from __future__ import annotations

import operator

import tensorflow as tf


def check_seed(seed) -> int:
    """Returns `seed`, of any integer type, as a 64-bit int, or raises a ValueError."""
    if isinstance(seed, bool) or (tf.is_tensor(seed) and tf.get_static_value(seed) is None):
        raise ValueError(f"seed: expected a whole number, got {seed!r}")
    return whole_number("seed", tf.get_static_value(seed) if tf.is_tensor(seed) else seed, -(2**63))


def whole_number(name, value, low):
    """Returns `value` as an int, or unchanged if it is a tensor."""
    if tf.is_tensor(value):
        return value
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or not low <= number < 2**63:
        kind = "a count" if name == "n" and not low else f"a whole number from {low} to 2**63 - 1"
        raise ValueError(f"{name}: expected {kind}, got {value!r}")
    return number


def check_image_shape(shape) -> tuple[int, int, int]:
    """Returns `shape` as a tuple `(H, W, C)`, or raises a ValueError."""
    try:
        sizes = tuple(operator.index(d) for d in shape)
    except TypeError:
        sizes = ()
    if len(sizes) != 3 or min(sizes) < 1:
        raise ValueError(f"shape: expected (height, width, channels), got {shape!r}")
    return sizes
