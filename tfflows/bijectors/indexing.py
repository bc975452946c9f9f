"""Numbers of a vector by their places."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def select(x: tf.Tensor, indices: np.ndarray) -> tf.Tensor:
    """`x[..., indices]`, as a slice if possible, because XLA gathers number by number."""
    step = int(indices[1] - indices[0]) if indices.size > 1 else 1
    if step == 0 or (np.diff(indices) != step).any():
        return tf.gather(x, indices, axis=-1)
    stop = int(indices[-1]) + (1 if step > 0 else -1)
    return x[..., int(indices[0]) : (None if stop < 0 else stop) : step]
