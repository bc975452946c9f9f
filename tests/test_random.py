"""The generator: known answers, independence of rows, keys of training noise."""

import numpy as np
import pytest
import tensorflow as tf

from tfflows import random


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # the known-answer tests of the Random123 library
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_known_answers(counter, key, expected):
    def words(pair):
        return tuple(tf.constant(value, tf.uint32) for value in pair)

    got = random.threefry(words(key), words(counter))
    assert tuple(int(word) for word in got) == expected


def test_uniform_rows_are_uniform_and_never_0_or_1():
    u = random.uniform_rows(random.row_seeds(50_000, seed=5), 3).numpy()
    assert u.dtype == np.float32 and u.min() > 0 and u.max() < 1
    for column in u.T:
        counts, _ = np.histogram(column, bins=20, range=(0, 1))
        chi_square = np.sum((counts - 2500.0) ** 2 / 2500.0)
        assert chi_square < 50  # 19 degrees of freedom: passed but for one seed in 10,000
    assert np.abs(np.corrcoef(u.T) - np.eye(3)).max() < 0.025


def test_every_part_of_the_seed_counts():
    seeds = np.array([[0, 0], [1, 0], [0, 1], [2**33, 0], [0, 2**33], [-1, 0]], np.int64)
    rows = random.uniform_rows(tf.constant(seeds), 2).numpy()
    assert len(np.unique(rows[:, 0])) == len(seeds)
    alone = random.uniform_rows(tf.constant(seeds[3:4]), 5).numpy()
    np.testing.assert_array_equal(alone[0, :2], rows[3])


def test_row_seeds():
    np.testing.assert_array_equal(random.row_seeds(3, seed=7, start=4), [[7, 4], [7, 5], [7, 6]])
    assert random.row_seeds(3)[0, 0] != random.row_seeds(3)[0, 0]
    assert random.row_seeds(0, seed=1).shape == (0, 2)
    last = random.row_seeds(2, seed=-(2**63), start=2**63 - 2)
    np.testing.assert_array_equal(last, [[-(2**63), 2**63 - 2], [-(2**63), 2**63 - 1]])
    as_tensors = random.row_seeds(tf.constant(3), tf.constant(7, tf.int64), start=4)
    np.testing.assert_array_equal(as_tensors, random.row_seeds(3, seed=7, start=4))


def test_numbers_of_a_row_do_not_depend_on_how_many():
    seeds = random.row_seeds(4, seed=2)
    whole = random.uniform_rows(seeds, 6).numpy()
    for size in range(1, 6):
        np.testing.assert_array_equal(random.uniform_rows(seeds, size), whole[:, :size])
    assert len(np.unique(whole)) == whole.size
    # Long rows are drawn in two parts.
    whole = random.uniform_rows(seeds, 1031).numpy()
    for size in (1000, 1024, 1030):
        np.testing.assert_array_equal(random.uniform_rows(seeds, size), whole[:, :size])


def test_keys_of_rows_differ_with_any_integer_and_its_place():
    x = np.zeros([1 + 12 * 3, 2, 2, 3], np.uint8)
    x[1:].reshape(12, 3, 12)[np.arange(12), :, np.arange(12)] = [1, 2, 255]
    keys = random.row_keys(tf.constant(x)).numpy()
    assert keys.dtype == np.int64 and len(np.unique(keys)) == len(x)
    permuted = random.row_keys(tf.constant(x[::-1])).numpy()
    np.testing.assert_array_equal(permuted, keys[::-1])
    compiled = tf.function(random.row_keys, jit_compile=True)(tf.constant(x, tf.float32))
    np.testing.assert_array_equal(compiled, keys)
    # Each bit of a key is set for about half of random rows.
    rows = tf.constant(np.random.default_rng(0).integers(0, 256, [4096, 12]), tf.int32)
    bits = (random.row_keys(rows).numpy()[:, np.newaxis] >> np.arange(64)) & 1
    assert np.abs(bits.mean(0) - 0.5).max() < 0.05


def test_training_noise_is_there_only_in_its_scope_and_repeats():
    def draw(*arguments):
        with random.training_noise(*arguments):
            return [tuple(random.next_noise_seed().numpy()) for _ in range(2)]

    assert random.next_noise_seed() is None
    first = draw(0, 5)
    assert first == draw(0, 5) and first[0] != first[1]
    assert len({draw(0, 5)[0], draw(1, 5)[0], draw(0, 6)[0], draw(0, 5, 1)[0]}) == 4
    with random.training_noise(0, 5):
        outer = random.next_noise_seed()
        draw(3, 3)
        assert (random.next_noise_seed().numpy() != outer.numpy()).any()
        assert tuple(outer.numpy()) == first[0]
    assert random.next_noise_seed() is None
