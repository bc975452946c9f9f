import itertools
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tfflows.data import pipeline, toy
from tfflows.data.pipeline import evaluation_dataset, toy_dataset, training_dataset


def take(dataset, n):
    return [batch.numpy() for batch in itertools.islice(dataset, n)]


@pytest.mark.parametrize(("rows", "batch_size"), [(10, 4), (7, 7), (3, 8), (1, 5), (100, 16)])
def test_every_epoch_meets_every_row_once(rows, batch_size):
    x = np.arange(rows)
    epochs = 12
    steps = -(-epochs * rows // batch_size)
    seen = np.concatenate(take(training_dataset(x, batch_size, seed=0), steps))
    seen = seen[: epochs * rows].reshape(epochs, rows)
    np.testing.assert_array_equal(np.sort(seen, axis=1), np.tile(x, (epochs, 1)))
    if rows >= 7:
        assert len({tuple(epoch) for epoch in seen}) == epochs


def times_met(rows, seed=0):
    """How often each row is met in an epoch, beyond the first two."""
    position = tf.range(3 * rows, 4 * rows, dtype=tf.int64)
    return np.bincount(pipeline.shuffled_rows(position, rows, seed), minlength=rows)


@pytest.mark.parametrize(
    "sizes", [range(1, 40), pytest.param(range(40, 301), marks=pytest.mark.slow)], ids=str
)
def test_every_number_of_rows_is_a_permutation(sizes):
    for rows in (*sizes, *(2**k + d for k in (8, 12, 16) for d in (-1, 0, 1, 2))):
        np.testing.assert_array_equal(times_met(rows), np.ones(rows))


@pytest.mark.parametrize("rows", [2**16 + 1, 2**17 + 1, 2**18 + 1])
def test_a_power_of_two_and_one(rows):
    """TensorFlow's shuffle takes a bit too few for 2**16 + 1 rows, 2**18 + 1 and so on."""
    for seed in (0, 5):
        np.testing.assert_array_equal(times_met(rows, seed), np.ones(rows))
    position = tf.range(3 * rows, dtype=tf.int64)
    orders = pipeline.shuffled_rows(position, rows, seed=0).numpy().reshape(3, rows)
    between = np.corrcoef([np.arange(rows), *orders])
    assert np.abs(between - np.eye(4)).max() < 5 / np.sqrt(rows)
    # In mid-epoch as from the start, in batches of any size.
    part = pipeline.shuffled_rows(position[rows + 7 : rows + 107], rows, seed=0)
    np.testing.assert_array_equal(part, orders[1, 7:107])


@pytest.mark.slow
@pytest.mark.parametrize("k", [19, 20, 22])
def test_a_large_power_of_two_and_one(k):
    for rows in (2**k - 1, 2**k, 2**k + 1):
        np.testing.assert_array_equal(times_met(rows), np.ones(rows))


def test_orders_of_other_numbers_of_rows_are_kept():
    """A run that was interrupted goes on with the batches that it had."""
    rows = pipeline.shuffled_rows(tf.range(5, dtype=tf.int64), 1000, seed=3)
    np.testing.assert_array_equal(rows, [853, 906, 570, 335, 116])


def test_starts_again_in_mid_epoch():
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    undisturbed = take(training_dataset(x, 8, seed=5), 40)
    for start in (0, 1, 6, 7, 25):
        resumed = take(training_dataset(x, 8, seed=5, start_step=start), 40 - start)
        np.testing.assert_array_equal(resumed, undisturbed[start:])
    # And far on, without counting up to there.
    late = take(training_dataset(x, 8, seed=5, start_step=10**12), 1)[0]
    assert late.shape == (8, 3)


def test_seeds_give_other_orders():
    x = np.arange(1000)
    orders = [
        np.concatenate(take(training_dataset(x, 100, seed), 10)) for seed in (0, 1, 2**40, -1)
    ]
    for a, b in itertools.combinations(orders, 2):
        assert np.mean(a == b) < 0.02


def test_epochs_are_shuffled_well():
    """No correlation between epochs, nor between neighbours: 5 standard errors allowed."""
    rows = 30_000
    position = tf.range(4 * rows, dtype=tf.int64)
    orders = pipeline.shuffled_rows(position, rows, seed=0).numpy().reshape(4, rows)
    limit = 5 / np.sqrt(rows)
    between = np.corrcoef([np.arange(rows), *orders])
    assert np.abs(between - np.eye(5)).max() < limit
    for order in orders:
        for lag in (1, 2, 4, 256):
            assert abs(np.corrcoef(order[:-lag], order[lag:])[0, 1]) < limit


def test_small_orders_are_equally_likely():
    epochs = 1200
    position = tf.range(4 * epochs, dtype=tf.int64)
    orders = pipeline.shuffled_rows(position, 4, seed=1).numpy().reshape(epochs, 4)
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24
    # Chi-squared of 23 degrees of freedom: its mean and five standard deviations.
    assert np.sum((counts - 50) ** 2) / 50 < 23 + 5 * np.sqrt(46)


def test_shapes_dtypes_and_context():
    x = np.arange(24).reshape(12, 2).astype(np.float64)
    context = np.arange(12).astype(np.uint8)
    dataset = training_dataset(x, 5, seed=0, context=context)
    assert dataset.element_spec[0] == tf.TensorSpec([5, 2], tf.float64)
    assert dataset.element_spec[1] == tf.TensorSpec([5], tf.uint8)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    for rows, labels in itertools.islice(dataset, 6):
        np.testing.assert_array_equal(rows[:, 0] / 2, labels)


def test_evaluation_keeps_order_and_the_short_batch():
    x = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    dataset = evaluation_dataset(x, 4)
    batches = [batch.numpy() for batch in dataset]
    assert [len(batch) for batch in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(batches), x)
    assert dataset.cardinality() == 3
    pairs = list(evaluation_dataset(x, 4, context=np.arange(10)))
    np.testing.assert_array_equal(np.concatenate([c for _, c in pairs]), np.arange(10))


def test_toy_dataset_draws_from_the_toy():
    moons = toy.get("two_moons")
    dataset = toy_dataset(moons, 64, seed=3, rows=256)
    epoch = np.concatenate(take(dataset, 4))
    rows = moons.sample(256, seed=3)
    np.testing.assert_array_equal(np.sort(epoch, axis=0), np.sort(rows, axis=0))
    resumed = take(toy_dataset(moons, 64, seed=3, start_step=3, rows=256), 1)[0]
    np.testing.assert_array_equal(resumed, epoch[192:])


def test_batches_are_gathered_quickly():
    dataset = iter(training_dataset(np.zeros((200_000, 16), np.float32), 4096, seed=0))
    next(dataset)
    start = time.perf_counter()
    for _ in range(20):
        next(dataset)
    # About 1 ms a batch on an idle core.
    assert time.perf_counter() - start < 3.0


def test_errors_name_the_argument():
    x = np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"x: expected rows, got shape \[0, 2\]"):
        training_dataset(x[:0], 2, seed=0)
    with pytest.raises(ValueError, match="batch_size: expected 1 or more, got 0"):
        evaluation_dataset(x, 0)
    with pytest.raises(ValueError, match="start_step: expected 0 or more, got -1"):
        training_dataset(x, 2, seed=0, start_step=-1)
    with pytest.raises(ValueError, match="context: expected 4 rows as in x, got 3"):
        training_dataset(x, 2, seed=0, context=np.zeros(3))


REPLICAS = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tfflows.data import pipeline
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
x = np.arange(20, dtype=np.float32)

def parts(dataset, n):
    dataset = iter(strategy.experimental_distribute_dataset(dataset))
    return [
        [part.numpy() for part in strategy.experimental_local_results(next(dataset))]
        for _ in range(n)
    ]

single = iter(pipeline.training_dataset(x, 8, seed=0))
for pair in parts(pipeline.training_dataset(x, 8, seed=0), 6):
    assert [len(part) for part in pair] == [4, 4], pair
    np.testing.assert_array_equal(np.concatenate(pair), next(single))
pairs = parts(pipeline.evaluation_dataset(x, 8), 3)
np.testing.assert_array_equal(np.concatenate([np.concatenate(pair) for pair in pairs]), x)
"""


@pytest.mark.slow
def test_replicas_share_each_batch():
    environment = dict(os.environ, CUDA_VISIBLE_DEVICES="-1", PYTHONPATH=os.pathsep.join(sys.path))
    subprocess.run([sys.executable, "-c", REPLICAS], check=True, env=environment)
