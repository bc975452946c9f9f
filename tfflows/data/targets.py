"""Unnormalised 2-D log-densities in TensorFlow, for training by reverse KL.

They are the four test potentials of Rezende & Mohamed, Variational Inference with Normalizing
Flows, ICML 2015, table 1 (https://arxiv.org/abs/1505.05770). Three of them do not decay along the
first axis, so no density is proportional to them; the paper shows them from -4 to 4. Here a wall,
Gaussian beyond `|z_i| = 4`, makes each one normalisable without changing it inside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

_WALL = 4.0
_WALL_SCALE = 0.4


class Target:
    """An unnormalised log-density: `target(z)` for `z` `[n, 2]` gives `[n]`, in nats.

    Attributes:
      name: its name.
      dim: number of dimensions, 2.
      bounds: `(low, high)`, float64 `[2]` each: a box for plots.
      log_normalizer: log of the integral of `exp(target(z))`, so that the KL divergence of a model
        q is `E_q[log q(z) - target(z)] + log_normalizer`, which is 0 at best.
    """

    dim = 2

    def __init__(
        self, name: str, potential: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], log_z: float
    ):
        self.name = name
        self.log_normalizer = log_z
        self.bounds = (np.full(2, -4.5), np.full(2, 4.5))
        self._potential = potential

    def __call__(self, z: tf.Tensor) -> tf.Tensor:
        """Unnormalised log-density of `z` `[n, 2]`: `[n]`, of the same dtype."""
        z = tf.convert_to_tensor(z)
        outside = tf.nn.relu(tf.abs(z) - _WALL) / _WALL_SCALE
        wall = 0.5 * tf.reduce_sum(outside**2, axis=-1)
        return -self._potential(z[..., 0], z[..., 1]) - wall

    def __repr__(self) -> str:
        return f"<Target {self.name!r}, log_normalizer={self.log_normalizer:.4f}>"


def _square(x: tf.Tensor, scale: float) -> tf.Tensor:
    return 0.5 * (x / scale) ** 2


def _either(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """`-log(exp(-first) + exp(-second))`."""
    return -tf.reduce_logsumexp(tf.stack([-first, -second]), axis=0)


def _w1(z1: tf.Tensor) -> tf.Tensor:
    return tf.sin(0.5 * np.pi * z1)


def _w2(z1: tf.Tensor) -> tf.Tensor:
    return 3.0 * tf.exp(-_square(z1 - 1.0, 0.6))


def _w3(z1: tf.Tensor) -> tf.Tensor:
    return 3.0 * tf.sigmoid((z1 - 1.0) / 0.3)


def _u1(z1: tf.Tensor, z2: tf.Tensor) -> tf.Tensor:
    # The gradient of a square root is infinite at 0, so keep its argument above 0.
    norm = tf.sqrt(tf.maximum(z1**2 + z2**2, 1e-12))
    return _square(norm - 2.0, 0.4) + _either(_square(z1 - 2.0, 0.6), _square(z1 + 2.0, 0.6))


def _u2(z1: tf.Tensor, z2: tf.Tensor) -> tf.Tensor:
    return _square(z2 - _w1(z1), 0.4)


def _u3(z1: tf.Tensor, z2: tf.Tensor) -> tf.Tensor:
    centre = z2 - _w1(z1)
    return _either(_square(centre, 0.35), _square(centre + _w2(z1), 0.35))


def _u4(z1: tf.Tensor, z2: tf.Tensor) -> tf.Tensor:
    centre = z2 - _w1(z1)
    return _either(_square(centre, 0.4), _square(centre + _w3(z1), 0.35))


# Potential and log of the normalising constant, by quadrature (the tests compute it again).
_TARGETS = {
    "u1": (_u1, 1.877501626),
    "u2": (_u2, 2.200166925),
    "u3": (_u3, 2.759782713),
    "u4": (_u4, 2.824085501),
}


def names() -> list[str]:
    """Names of the targets."""
    return list(_TARGETS)


def get(name: str) -> Target:
    """The target of that name.

    Raises:
      ValueError: if there is none.
    """
    if name not in _TARGETS:
        raise ValueError(f"name: expected one of {', '.join(_TARGETS)}, got {name!r}")
    return Target(name, *_TARGETS[name])
