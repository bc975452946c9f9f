"""Planar and radial flows: they move space along one ridge or around one centre."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector, parameters_of
from tfflows.bijectors.conditioner import build_conditioner
from tfflows.bijectors.linear import matvec
from tfflows.bijectors.ridge import invert_ridge, positive_slope, ridge_derivative
from tfflows.networks import MLP
from tfflows.tracking import layer_variables


class Planar(Bijector):
    """Planar flow: `y = x + u tanh(w.x + b)`, in closed form from latent to data.

    Invertible because `w.u > -1`, by the paper's reparametrisation (appendix A.1): the part of `u`
    along `w` is `m(w.u) w / |w|^2`, with `m` a shifted softplus. Ours has `m(0) = 0`, so that the
    part stays finite as `w` vanishes and `u = 0`, where the map starts, is the identity. `1 + m`
    stays above 0.001. Data to latent solves a single monotone equation in `w.x` to float
    precision, with the gradients of the implicit function theorem.

    Args:
      size: length of the vector.
      context_shape: shape of one context, or `None`. If given, `(u, w, b)` of a row are those of
        the bijector plus a network's output for the row's context, as in a variational autoencoder.
      network: a Keras layer from `[batch, context]` to `[batch, 2 size + 1]`, or a function
        from that number of outputs to such a layer; by default linear.
      seed: seed of the initial `w`.
      dtype: floating type of the variables.
      name: name of the bijector.

    Raises:
      ValueError: if the context has a rank other than 1, or `network` is given without a context
        or has another size.

    Reference: Rezende & Mohamed, Variational Inference with Normalizing Flows, 2015.
    https://arxiv.org/abs/1505.05770
    """

    def __init__(
        self,
        size: int,
        context_shape: tuple[int, ...] | None = None,
        network: Callable | None = None,
        seed: int = 0,
        dtype=tf.float32,
        name: str = "planar",
    ):
        parameters = dict(locals())
        if int(size) < 1:
            raise ValueError(f"size: expected at least 1, got {size}")
        if network is not None and context_shape is None:
            raise ValueError("network: expected None without a context_shape, got a network")
        if context_shape is not None and len(context_shape) != 1:
            raise ValueError(f"context_shape: expected one size, got {tuple(context_shape)}")
        super().__init__(
            forward_min_event_ndims=1, context_shape=context_shape, parameters=parameters, name=name
        )
        self._size = size
        w = np.random.RandomState(seed).normal(size=size)
        self.u = tf.Variable(tf.zeros([size], dtype), name=f"{name}_u")
        self.w = tf.Variable(tf.constant(w / np.linalg.norm(w), dtype), name=f"{name}_w")
        self.b = tf.Variable(tf.zeros([1], dtype), name=f"{name}_b")
        self.network = None
        if context_shape is not None:
            network = network or (lambda outputs: MLP(outputs, (), dtype=tf.as_dtype(dtype).name))
            self.network = build_conditioner(network, context_shape[0], 2 * size + 1, None, name)
            self._network_variables = layer_variables(self.network)

    def _constrained(self, context):
        """`u` within the constraint, `w`, `b` and the slope `1 + w.u` at the ridge."""
        u, w, b = map(tf.convert_to_tensor, (self.u, self.w, self.b))
        if self.network is not None:
            raw = parameters_of(self.network(context), u.dtype)
            du, dw, db = tf.split(raw, [self._size, self._size, 1], axis=-1)
            u, w, b = u + du, w + dw, b + db
        along = w / tf.maximum(tf.reduce_sum(tf.square(w), -1, keepdims=True), 1e-30)
        slope = positive_slope(tf.reduce_sum(w * u, -1, keepdims=True))
        for _ in range(2):  # one pass leaves a rounding error along w if |u| is large
            u -= along * tf.reduce_sum(w * u, -1, keepdims=True)
        return u + (slope - 1.0) * along, w, b, slope

    def _forward_and_log_det(self, x, context):
        u, w, b, slope = self._constrained(context)
        t = _inner(w, x) + b
        return x + _along(u, tf.tanh(t)), tf.math.log(ridge_derivative(t, slope))[..., 0]

    def _inverse_and_log_det(self, y, context):
        u, w, b, slope = self._constrained(context)
        # With t = w.x + b: w.y + b = t + (w.u) tanh(t).
        t = invert_ridge(_inner(w, y) + b, slope)
        return y - _along(u, tf.tanh(t)), -tf.math.log(ridge_derivative(t, slope))[..., 0]


def _inner(w, x):
    """`w.x`, `[..., 1]`."""
    return tf.reduce_sum(w * x, -1, keepdims=True) if w.shape.rank > 1 else matvec(w[tf.newaxis], x)


def _along(u, h):
    """`h u` for `h` `[..., 1]`."""
    return h * u if u.shape.rank > 1 else matvec(u[:, tf.newaxis], h)


class Radial(Bijector):
    """Radial flow: `y = x + beta / (alpha + r) (x - c)` with `r = |x - c|`, in closed form.

    Invertible because `beta > -alpha`, by the paper's reparametrisation (appendix A.2). From
    data to latent the radius is the positive root of a quadratic. Starts as the identity.

    Args:
      size: length of the vector.
      seed: seed of the initial centre.
      dtype: floating type of the variables.
      name: name of the bijector.

    Reference: Rezende & Mohamed, Variational Inference with Normalizing Flows, 2015.
    https://arxiv.org/abs/1505.05770
    """

    def __init__(self, size: int, seed: int = 0, dtype=tf.float32, name: str = "radial"):
        parameters = dict(locals())
        if int(size) < 1:
            raise ValueError(f"size: expected at least 1, got {size}")
        super().__init__(forward_min_event_ndims=1, parameters=parameters, name=name)
        self._size = size
        centre = tf.constant(np.random.RandomState(seed).normal(size=size), dtype)
        self.centre = tf.Variable(centre, name=f"{name}_centre")
        self.log_alpha = tf.Variable(tf.zeros([1], dtype), name=f"{name}_log_alpha")
        self.raw_beta = tf.Variable(tf.zeros([1], dtype), name=f"{name}_raw_beta")

    def _constrained(self):
        """`alpha`, and `1 + beta / alpha`: how much the centre is stretched."""
        return tf.exp(self.log_alpha), positive_slope(self.raw_beta)

    @staticmethod
    def _radius(offset):
        # The gradient of a norm is NaN at 0, so stay off it.
        return tf.sqrt(tf.maximum(tf.reduce_sum(tf.square(offset), -1, keepdims=True), 1e-30))

    def _stretch(self, radius):
        """`stretch` in `y - c = stretch (x - c)`, and the log-determinant, at radius `|x - c|`."""
        alpha, slope = self._constrained()
        # 1 + beta / (alpha + r) and its radial version, as means of the slope and 1.
        near = alpha / (alpha + radius)
        stretch = near * slope + (1.0 - near)
        radial = tf.square(near) * slope + (1.0 - tf.square(near))
        log_det = (self._size - 1) * tf.math.log(stretch) + tf.math.log(radial)
        return stretch, log_det[..., 0]

    def _forward_and_log_det(self, x, context):
        offset = x - self.centre
        stretch, log_det = self._stretch(self._radius(offset))
        return self.centre + stretch * offset, log_det

    def _inverse_and_log_det(self, y, context):
        offset = y - self.centre
        target = self._radius(offset)
        # |y - c| = r + beta r / (alpha + r): r^2 + linear r - alpha |y - c| = 0.
        alpha, slope = self._constrained()
        linear = alpha * slope - target
        root = tf.sqrt(tf.square(linear) + 4.0 * alpha * target)
        # Of the two forms of the root, use the one that adds numbers of the same sign.
        radius = tf.where(
            linear > 0.0,
            2.0 * alpha * target / (tf.abs(linear) + root),
            0.5 * (tf.abs(linear) + root),
        )
        stretch, log_det = self._stretch(radius)
        return self.centre + offset / stretch, -log_det
