"""Rounding through which gradients pass as if it were the identity."""

from __future__ import annotations

import tensorflow as tf


def straight_through(value: tf.Tensor, rounded: tf.Tensor) -> tf.Tensor:
    """`rounded`, exactly, with the gradient of `value`, which must be finite."""
    return tf.stop_gradient(rounded) + (value - tf.stop_gradient(value))


def nearest(value: tf.Tensor) -> tf.Tensor:
    """The nearest integer, halves upwards, with the gradient of the identity."""
    return straight_through(value, tf.floor(value + 0.5))
