"""Input pipelines in which every batch is a function of (seed, step).

A training run that stops and restarts at step `k` sees batches `k, k + 1, ...` of a run that never
stopped, even in mid-epoch, so the state of the pipeline is never saved.

Under `tf.distribute` these are plain datasets of global batches. With several workers the caller
turns auto-sharding off (`options.experimental_distribute.auto_shard_policy = OFF`) if each worker
is to see the whole batch sequence, or leaves it at `DATA` to give each a share of every element.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows import random
from tfflows.data.toy import Toy

TOY_ROWS = 2**18

# With the 4 rounds and small plain keys of `tf.random.experimental.index_shuffle`, the orders of
# two epochs of 30,000 rows correlate by 0.45, and keys (0, epoch) hardly move the rows at all.
_ROUNDS = 16


def training_dataset(
    x: np.ndarray,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    context: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Endless shuffled batches.

    Each epoch has its own row order, a pseudorandom permutation keyed by (seed, epoch). Epochs
    follow one another without a gap: a batch may hold the end of one epoch and the start of the
    next. All batches have the same size, and every row occurs once in an epoch.

    Args:
      x: rows `[n, *event]`; kept in host memory, in their own dtype.
      batch_size: rows in a batch, over all replicas; may exceed `n`.
      seed: int of at most 64 bits.
      start_step: number of the first batch.
      context: rows `[n, ...]` that go with `x`.

    Returns:
      A dataset of `x` `[batch_size, *event]`, or of pairs `(x, context)`. It has no end.

    Raises:
      ValueError: if there are no rows, sizes are not positive or the numbers of rows differ.
    """
    arrays = _arrays(x, context)
    rows = int(arrays[0].shape[0])
    _check_batch_size(batch_size)
    if start_step < 0:
        raise ValueError(f"start_step: expected 0 or more, got {start_step}")

    def batch(step):
        position = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        return _gather(arrays, shuffled_rows(position, rows, seed))

    dataset = tf.data.Dataset.counter(start_step)
    dataset = dataset.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return _finish(dataset)


def evaluation_dataset(
    x: np.ndarray, batch_size: int, context: np.ndarray | None = None
) -> tf.data.Dataset:
    """All rows once, in order; the last batch may be short.

    Args:
      x: rows `[n, *event]`; kept in host memory, in their own dtype.
      batch_size: rows in a batch.
      context: rows `[n, ...]` that go with `x`.

    Returns:
      A dataset of `x` `[batch, *event]`, or of pairs `(x, context)`.

    Raises:
      ValueError: as `training_dataset`.
    """
    arrays = _arrays(x, context)
    _check_batch_size(batch_size)
    # Use `batch` in the graph, not a range with steps, so that tf.distribute knows the size.
    dataset = tf.data.Dataset.range(arrays[0].shape[0]).batch(batch_size)
    dataset = dataset.map(
        lambda rows: _gather(arrays, rows),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return _finish(dataset)


def toy_dataset(
    toy: Toy, batch_size: int, seed: int, start_step: int = 0, rows: int = TOY_ROWS
) -> tf.data.Dataset:
    """`training_dataset` over `rows` draws of a toy density, drawn from the same seed."""
    return training_dataset(toy.sample(rows, seed), batch_size, seed, start_step)


def shuffled_rows(position: tf.Tensor, rows: int, seed: int) -> tf.Tensor:
    """Rows at the given positions of the endless shuffled sequence.

    Args:
      position: int64 `[batch]`, 0 or more; position `p` is in epoch `p // rows`.
      rows: number of rows.
      seed: int of at most 64 bits.

    Returns:
      int64 `[batch]`, each in `0 .. rows - 1`. (Below 65,536 rows, each costs about 2.5 ms
      divided by `rows`, so a table of a hundred rows is slower to shuffle than one of a million.)
    """
    words = tf.bitcast(tf.constant(seed, tf.int64), tf.uint32)
    epoch = tf.bitcast(position // rows, tf.uint32)
    key = random.threefry((words[0], words[1]), (epoch[:, 0], epoch[:, 1]))
    key = tf.stack([*key, tf.zeros_like(key[0])], axis=1)

    def shuffled(index, count):
        return tf.raw_ops.RandomIndexShuffle(
            index=index,
            seed=key,
            max_index=tf.constant(count - 1, tf.int64),
            rounds=_ROUNDS,
        )

    index = position % rows
    if not _is_short_of_a_bit(rows):
        return shuffled(index, rows)
    # Shuffle one extra row; the position that gets it takes what the extra position gets.
    row = shuffled(index, rows + 1)
    return tf.where(
        row == rows, shuffled(tf.fill(tf.shape(index), tf.cast(rows, tf.int64)), rows + 1), row
    )


def _is_short_of_a_bit(rows: int) -> bool:
    """Whether TensorFlow's shuffle uses one bit fewer than the last row's number has.

    It uses `ceil(log2(last))` bits, rounded up to an even number, and at least 16. If the last
    number is itself two to that power, it does not fit: it never comes up, and another row comes up
    twice.
    """
    last = rows - 1
    return last >= 2**16 and last & (last - 1) == 0 and last.bit_length() % 2 == 1


def _arrays(x, context) -> tuple[tf.Tensor, ...]:
    arrays = [np.asarray(x)] if context is None else [np.asarray(x), np.asarray(context)]
    for name, array in zip(("x", "context"), arrays, strict=False):
        if array.ndim == 0 or len(array) == 0:
            raise ValueError(f"{name}: expected rows, got shape {list(array.shape)}")
    if len(arrays[0]) != len(arrays[-1]):
        raise ValueError(f"context: expected {len(arrays[0])} rows as in x, got {len(arrays[-1])}")
    with tf.device("CPU:0"):  # where tf.data runs
        return tuple(tf.constant(array) for array in arrays)


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size: expected 1 or more, got {batch_size}")


def _gather(arrays: tuple[tf.Tensor, ...], rows: tf.Tensor):
    batch = tuple(tf.gather(array, rows) for array in arrays)
    return batch if len(batch) > 1 else batch[0]


def _finish(dataset: tf.data.Dataset) -> tf.data.Dataset:
    options = tf.data.Options()
    options.deterministic = True
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)
