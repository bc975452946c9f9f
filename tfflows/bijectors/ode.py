"""Solves ordinary differential equations for a batch, with separate steps for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

MAX_STEPS = 400

# The tableau of Dormand & Prince, 1980: stages, solution of order 5 and its error estimate.
_TIMES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
_STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
_SOLUTION = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def solve(
    derivative: Callable[..., tf.Tensor],
    state: tf.Tensor,
    constants: Sequence[tf.Tensor] = (),
    rtol: float = 1e-5,
    atol: float = 1e-5,
) -> tf.Tensor:
    """Solves `dy/dt = derivative(t, y, *constants)` from time 0 to 1 by Dormand-Prince.

    Each row chooses its steps by its own error, so its solution does not depend on the rest of the
    batch. Gradients, for the state, the constants and the variables that `derivative` reads, are
    those of the discrete solution: each step is run again from its stored start and differentiated.
    This loses no accuracy and takes memory for one state per step.

    Args:
      derivative: from `t` `[batch, 1]`, `y` `[batch, size]` and the constants to `[batch, size]`;
        a row of the result depends on that row alone.
      state: `[batch, size]`, the state at time 0.
      constants: tensors that `derivative` needs and gradients may reach.
      rtol, atol: relative and absolute bound of the error of each step (root mean square over a
        row's numbers); at least 10 roundings of the dtype.

    Returns:
      `[batch, size]`, the state at time 1; NaN for a row that needs more than 400 steps or steps
      below 1e-6, which includes any row that is not finite.

    References: Dormand & Prince, A family of embedded Runge-Kutta formulae, 1980,
    https://doi.org/10.1016/0771-050X(80)90013-3; Zhuang et al., Adaptive Checkpoint Adjoint Method
    for Gradient Estimation in Neural ODE, 2020, https://arxiv.org/abs/2006.02493
    """

    @tf.custom_gradient
    def run(state, *constants):
        def gradient(upstream, variables=()):
            # Solves again, so that a call without gradients keeps nothing.
            _, count, steps = _integrate(derivative, state, constants, rtol, atol, keep=True)
            return _back(derivative, upstream, constants, variables, count, steps)

        return _integrate(derivative, state, constants, rtol, atol, keep=False)[0], gradient

    return run(tf.convert_to_tensor(state), *(tf.convert_to_tensor(c) for c in constants))


def _combine(start, step, weights, slopes):
    return start + step * tf.add_n([w * k for w, k in zip(weights, slopes, strict=True) if w])


def _step(derivative, constants, time, step, state, first=None):
    """The state after one step, and the six slopes that it is made of."""
    slopes = [derivative(time, state, *constants) if first is None else first]
    for fraction, weights in zip(_TIMES[1:], _STAGES[1:], strict=True):
        inner = _combine(state, step, weights, slopes)
        slopes.append(derivative(time + fraction * step, inner, *constants))
    return _combine(state, step, _SOLUTION, slopes), slopes


def _integrate(derivative, state, constants, rtol, atol, keep):
    """The state at time 1, the number of steps tried, and the start of each."""
    dtype = state.dtype
    # The error estimate cannot resolve less than a few roundings.
    floor = 10.0 * float(np.finfo(dtype.as_numpy_dtype).eps)
    rtol, atol = max(rtol, floor), max(atol, floor)
    zero, one = tf.zeros_like(state[:, :1]), tf.ones_like(state[:, :1])
    arrays = [
        tf.TensorArray(dtype, MAX_STEPS, element_shape=shape, clear_after_read=False)
        for shape in (zero.shape, zero.shape, state.shape)
        if keep
    ]

    def going(count, time, step, *_):
        return (count < MAX_STEPS) & tf.reduce_any((time < 1.0) & (step > 1e-6))

    def advance(count, time, step, state, slope, arrays):
        active = (time < 1.0) & (step > 1e-6)
        tried = tf.where(active, tf.minimum(step, 1.0 - time), zero)
        new, slopes = _step(derivative, constants, time, tried, state, slope)
        slopes.append(derivative(time + tried, new, *constants))
        error = _combine(tf.zeros_like(state), tried, _ERROR, slopes)
        bound = atol + rtol * tf.maximum(tf.abs(state), tf.abs(new))
        ratio = tf.sqrt(tf.reduce_mean(tf.square(error / bound), axis=-1, keepdims=True))
        # A result that is not finite is rejected and shortens the step.
        accepted = active & (ratio <= 1.0)
        factor = 0.9 * tf.pow(tf.maximum(ratio, 1e-10), -0.2)
        factor = tf.where(ratio < np.inf, tf.clip_by_value(factor, 0.1, 8.0), 0.1 * one)
        # If the remaining time cut the step short, that is no reason to shrink the step.
        longer = tf.where(accepted, tf.maximum(step, factor * tried), factor * tried)
        values = (time, tf.where(accepted, tried, zero), state)
        arrays = [a.write(count, v) for a, v in zip(arrays, values, strict=False)]
        last = accepted & (tried >= 1.0 - time)
        time = tf.where(accepted, tf.where(last, one, time + tried), time)
        state, slope = (tf.where(accepted, a, b) for a, b in ((new, state), (slopes[-1], slope)))
        return count + 1, time, tf.where(active, longer, step), state, slope, arrays

    slope = derivative(zero, state, *constants)
    count, time, _, state, _, arrays = tf.while_loop(
        going, advance, (0, zero, 0.25 * one, state, slope, arrays), maximum_iterations=MAX_STEPS
    )
    return tf.where(time < 1.0, tf.constant(np.nan, dtype), state), count, arrays


def _back(derivative, upstream, constants, variables, count, arrays):
    """Gradients of the start, the constants and the variables, from the last step to the first."""
    constants, variables = list(constants), list(variables)

    def back(index, upstream, sums):
        time, step, state = (a.read(index) for a in arrays)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([state, *constants, *variables])
            end, _ = _step(derivative, constants, time, step, state)
        upstream, *parts = tape.gradient(
            end,
            [state, *constants, *variables],
            upstream,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return index - 1, upstream, [a + b for a, b in zip(sums, parts, strict=True)]

    sums = [tf.zeros_like(value) for value in (*constants, *variables)]
    _, upstream, sums = tf.while_loop(
        lambda index, *_: index >= 0,
        back,
        (count - 1, upstream, sums),
        maximum_iterations=MAX_STEPS,
    )
    gradients = (upstream, *sums[: len(constants)])
    return (gradients, sums[len(constants) :]) if variables else gradients
