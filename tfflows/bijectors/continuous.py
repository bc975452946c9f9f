"""Continuous flows: the solution of an ordinary differential equation."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors import ode
from tfflows.bijectors.base import Bijector
from tfflows.bijectors.conditioner import build_conditioner
from tfflows.networks.linearization import rademacher
from tfflows.random import next_noise_seed
from tfflows.tracking import layer_variables


class ContinuousFlow(Bijector):
    """Flow along a vector field: `dy/dt = f(y, t)` from the data at time 0 to the latent at 1.

    The log-determinant is the integral of the trace of `df/dy`, solved for together with the path:

    * during training the trace is Hutchinson's unbiased estimate, with one vector of random signs
      per row, fixed over the whole path;
    * otherwise it is exact, from `size` products with the Jacobian, and the log-determinant is a
      function of the row.

    The Dormand-Prince method solves the equation with separate steps for each row, so a row's value
    does not depend on its batch. Gradients are exact for the discrete solution
    (`tfflows.bijectors.ode.solve`). A row that it cannot solve gives NaN.

    Args:
      size: length of the vector.
      network: a `tfflows.networks.ConcatSquashMLP` from `size` to `size`, or a function from the
        size to one; any layer with the same `linearize` works.
      context_shape: shape of one context, passed to the network, or `None`.
      rtol, atol: relative and absolute tolerance of a step, for the values and the log-determinant.
      training_tolerance: replaces both tolerances during training.
      kinetic: weight, in the training loss, of the integral of `|f|^2`: straight paths need fewer
        steps.
      jacobian: weight, in the training loss, of the integral of the squared Frobenius norm of
        `df/dy`, estimated with the same vector.
      solver: `None`, or a `tfp.math.ode.Solver` to use instead. Its steps are shared by the whole
        batch, its gradients use TFP's adjoint method, and it has its own tolerances.
      name: name of the bijector.

    Raises:
      ValueError: for an argument out of its range.

    References: Chen et al., Neural Ordinary Differential Equations, 2018,
    https://arxiv.org/abs/1806.07366; Grathwohl et al., FFJORD, 2018,
    https://arxiv.org/abs/1810.01367; Finlay et al., How to train your neural ODE, 2020,
    https://arxiv.org/abs/2002.02798 (the two penalties)
    """

    def __init__(
        self,
        size: int,
        network: Callable,
        context_shape: tuple[int, ...] | None = None,
        rtol: float = 1e-5,
        atol: float = 1e-5,
        training_tolerance: float = 1e-3,
        kinetic: float = 0.0,
        jacobian: float = 0.0,
        solver: tfp.math.ode.Solver | None = None,
        name: str = "continuous",
    ):
        parameters = dict(locals())
        if size < 1:
            raise ValueError(f"size: expected at least 1, got {size}")
        for key in ("rtol", "atol", "training_tolerance"):
            if not 0.0 < parameters[key] < 1.0:
                raise ValueError(f"{key}: expected a number between 0 and 1, got {parameters[key]}")
        for key in ("kinetic", "jacobian"):
            if not parameters[key] >= 0.0:
                raise ValueError(f"{key}: expected at least 0, got {parameters[key]}")
        super().__init__(
            forward_min_event_ndims=1,
            context_shape=context_shape,
            parameters=parameters,
            name=name,
        )
        self._size = size
        self.network = build_conditioner(network, size, size, self.context_shape, name)
        if not hasattr(self.network, "linearize"):
            raise ValueError(
                f"network: {name} expects a layer with a method linearize, such as "
                f"ConcatSquashMLP, got {type(self.network).__name__}"
            )
        self._network_variables = layer_variables(self.network)
        self._tolerances, self._training_tolerance = (rtol, atol), training_tolerance
        self._penalties = (float(kinetic), float(jacobian))
        self._solver = solver

    def _forward_and_log_det(self, x, context):
        return self._integrate(x, context, backwards=True)

    def _inverse_and_log_det(self, y, context):
        return self._integrate(y, context, backwards=False)

    def _integrate(self, rows, context, backwards: bool):
        constants = {} if context is None else {"context": tf.cast(context, rows.dtype)}
        seed = next_noise_seed()
        if seed is not None:
            constants["vector"] = rademacher(seed, rows)
        penalties = self._penalties if seed is not None else (0.0, 0.0)
        sign = -1.0 if backwards else 1.0

        def derivative(time, state, context=None, vector=None):
            time = 1.0 - time if backwards else time
            velocity, jacobian = self.network.linearize(state[:, : self._size], time, context)
            if vector is None:
                return sign * tf.concat([velocity, jacobian.trace()[:, tf.newaxis]], axis=-1)
            product = jacobian.times(vector)
            trace = tf.reduce_sum(product * vector, axis=-1, keepdims=True)
            # In training the last number is what the loss needs: log-determinant plus penalties.
            for weight, part in zip(penalties, (velocity, product), strict=True):
                if weight:
                    part = tf.reduce_sum(tf.square(part), axis=-1, keepdims=True)
                    trace -= sign * weight * part
            return sign * tf.concat([velocity, trace], axis=-1)

        state = tf.concat([rows, tf.zeros_like(rows[:, :1])], axis=-1)
        state = self._solve(derivative, state, constants, seed is not None)
        result, log_det = state[:, : self._size], state[:, self._size]
        return result, log_det

    def _solve(self, derivative, state, constants, training):
        if self._solver is None:
            rtol, atol = [self._training_tolerance] * 2 if training else self._tolerances
            names = list(constants)

            def positional(time, state, *values):
                return derivative(time, state, **dict(zip(names, values, strict=True)))

            return ode.solve(positional, state, [constants[n] for n in names], rtol, atol)
        # A row that is not finite would keep a shared step from ever being accepted.
        finite = tf.reduce_all(tf.math.is_finite(state), axis=-1, keepdims=True)
        start = tf.where(finite, state, tf.zeros_like(state))
        end = self._solver.solve(derivative, 0.0, start, [1.0], constants=constants).states[0]
        return tf.where(finite, end, tf.constant(float("nan"), end.dtype))
