"""The ridge `t + (slope - 1) tanh(t)` that planar and Sylvester flows are made of."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

# No map here contracts space by more than this factor: float32 could not undo it.
LEAST_SLOPE = 1e-3
_MAX_ITERATIONS = 40  # the most seen is 20, at a slope of 1e8 in float64


def positive_slope(raw: tf.Tensor) -> tf.Tensor:
    """A slope above `LEAST_SLOPE`, increasing in `raw`, 1 at 0 and linear far above it."""
    return LEAST_SLOPE + (1.0 - LEAST_SLOPE) * tf.nn.softplus(raw + math.log(math.e - 1.0))


def ridge_derivative(t: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Derivative of `t + (slope - 1) tanh(t)`: `slope` at 0, 1 far out; without cancellation."""
    small = tf.exp(-2.0 * tf.abs(t))
    return tf.square(tf.tanh(t)) + 4.0 * small / tf.square(1.0 + small) * slope


def invert_ridge(target: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Solves `t + (slope - 1) tanh(t) = target` for `t`, to float precision.

    Newton's method needs no bracket here. For positive `t` the left side is concave if the slope
    is above 1 and convex if it is below, so steps from a bound on the correct side of the root go
    straight to it. Gradients are those of the implicit function theorem.

    Args:
      target: any tensor.
      slope: positive, broadcasts against `target`.
    """
    slope += tf.zeros_like(target)
    root = tf.stop_gradient(_newton(tf.stop_gradient(target), tf.stop_gradient(slope)))
    residual = target - (root + (slope - 1.0) * tf.tanh(root))
    return root + residual / tf.stop_gradient(ridge_derivative(root, slope))


def _newton(target, slope):
    size = tf.abs(target)
    start = tf.where(
        slope > 1.0,
        tf.maximum(size / slope, size - (slope - 1.0)),
        tf.minimum(size / slope, size + (1.0 - slope)),
    )
    rounding = 8.0 * np.finfo(target.dtype.as_numpy_dtype).eps

    def step(index, t, _):
        residual = size - (t + (slope - 1.0) * tf.tanh(t))
        after = tf.maximum(t + residual / ridge_derivative(t, slope), 0.0)
        return index + 1, after, tf.reduce_any(tf.abs(residual) > rounding * (size + t))

    _, root, _ = tf.while_loop(
        lambda index, t, moving: moving & (index < _MAX_ITERATIONS),
        step,
        (tf.constant(0), start, tf.constant(True)),
        parallel_iterations=1,
    )
    return tf.where(target < 0.0, -root, root)
