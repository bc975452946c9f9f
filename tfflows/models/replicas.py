"""The gradient of a whole batch that replicas share."""

from __future__ import annotations

import tensorflow as tf

from tfflows import compat


def share_gradients(optimizer, gradients, total, rows):
    """A replica's share of the gradient of the mean loss, and the sums over all replicas.

    Keras sums the shares over replicas, but it clips each share before summing; we must clip the
    sum. So with clipping we take the sum here, and each share is an equal part of it. A single
    all-reduce carries everything, because TensorFlow can mix up several that have no fixed order.

    Args:
      optimizer: a Keras optimizer, or `None` without gradients.
      gradients: those of this replica's summed loss; some may be `None`.
      total, rows: this replica's summed loss and number of rows.
    """
    replica = tf.distribute.get_replica_context()
    replicas = 1 if replica is None else replica.num_replicas_in_sync
    clips = optimizer is not None and (
        optimizer.clipnorm or optimizer.global_clipnorm or optimizer.clipvalue
    )
    if replicas > 1:
        there = [g for g in gradients if g is not None] if clips else []
        flat = [tf.reshape(tf.convert_to_tensor(g), [-1]) for g in there]
        vector = tf.concat([tf.stack([total, rows]), *flat], 0)
        vector = replica.all_reduce(tf.distribute.ReduceOp.SUM, vector)
        total, rows = vector[0], vector[1]
        if clips:
            parts = iter(tf.split(vector[2:], [g.shape.num_elements() for g in there]))
            gradients = [g if g is None else tf.reshape(next(parts), g.shape) for g in gradients]
    gradients = [g if g is None else tf.math.divide_no_nan(g, rows) for g in gradients]
    if replicas > 1 and clips:
        gradients = compat.clipped(optimizer, gradients)
        gradients = [g if g is None else g / replicas for g in gradients]
    return gradients, total, rows
