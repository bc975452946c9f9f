"""Small residual maps and continuous flows, with weights away from where they start."""

import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows import networks


def rows(batch, size, seed=0, dtype="float32"):
    return tf.constant(np.random.default_rng(seed).normal(size=(batch, size)), dtype)


def shake(bijector, scale=0.5, seed=0):
    rng = np.random.default_rng(seed)
    for variable in bijector.trainable_variables:
        variable.assign_add(tf.constant(scale * rng.normal(size=variable.shape), variable.dtype))
    return bijector


def residual_map(size=4, hidden=(16, 16), scale=0.5, dtype="float32", **keywords):
    return shake(
        tb.Residual(size, lambda n: networks.LipschitzMLP(n, hidden, dtype=dtype), **keywords),
        scale,
    )


def continuous_map(size=4, hidden=(16,), scale=0.5, dtype="float32", **keywords):
    return shake(
        tb.ContinuousFlow(
            size, lambda n: networks.ConcatSquashMLP(n, hidden, dtype=dtype), **keywords
        ),
        scale,
    )
