"""Inverses without a closed form: bracketed root search with implicit gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

MAX_ITERATIONS = 100


def invert_increasing(
    function: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    target: tf.Tensor,
    low: tf.Tensor,
    high: tf.Tensor,
) -> tf.Tensor:
    """Solves `function(y) = target` elementwise, for an increasing function.

    Runs Chandrupatla's bracketed search to the precision of the dtype, at most 100 steps, then one
    Newton step outside the search. Through that step gradients reach `target` and any parameters
    that `function` closes over; they are those of the implicit function theorem.

    Args:
      function: maps `y` to `(value, log_derivative)`, elementwise.
      target: values to reach.
      low, high: a bracket of the root, of the shape of `target`.

    Returns:
      The roots, of the shape of `target`.

    Reference: Chandrupatla, A new hybrid quadratic/bisection algorithm for finding the zero of a
    nonlinear function without using derivatives, Advances in Engineering Software 28(3), 1997.
    """
    frozen = tf.stop_gradient(target)
    precision = np.finfo(target.dtype.as_numpy_dtype).eps
    root = tfp.math.find_root_chandrupatla(
        lambda y: tf.stop_gradient(function(y)[0]) - frozen,
        low=tf.stop_gradient(low),
        high=tf.stop_gradient(high),
        position_tolerance=tf.stop_gradient(
            2.0 * precision * (1e-3 + tf.maximum(tf.abs(low), tf.abs(high)))
        ),
        value_tolerance=tf.zeros([], target.dtype),
        max_iterations=MAX_ITERATIONS,
    ).estimated_root
    root = tf.stop_gradient(root)
    value, log_derivative = function(root)
    # A flat stretch has no useful step: the derivative underflows, but the root is bracketed.
    slope = tf.stop_gradient(tf.exp(tf.clip_by_value(log_derivative, -30.0, 60.0)))
    step = (target - value) / slope
    limit = tf.stop_gradient((high - low) * 1e-3 + 1e-6 * (1.0 + tf.abs(root)))
    return root + _clip_value_only(step, limit)


def _clip_value_only(step: tf.Tensor, limit: tf.Tensor) -> tf.Tensor:
    """Clips the value of a correction to +-limit and leaves its gradient alone."""
    return step + tf.stop_gradient(tf.clip_by_value(step, -limit, limit) - step)
