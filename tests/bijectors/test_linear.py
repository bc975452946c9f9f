"""Reordering: `Permutation`, and what it and couplings pick by slices."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.bijectors.indexing import select


@pytest.mark.parametrize(
    "indices",
    [*itertools.permutations(range(4)), (0,), (3,), (0, 2), (1, 3), (3, 1), (2, 2), (1, 2)],
)
def test_taking_is_numpy_indexing(indices):
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(select(tf.constant(x), np.array(indices)), x[..., list(indices)])


def test_what_lies_evenly_is_a_slice():
    def operations(indices):
        graph = tf.function(lambda x: select(x, np.array(indices))).get_concrete_function(
            tf.TensorSpec([None, 6], tf.float32)
        )
        return {operation.type for operation in graph.graph.get_operations()}

    for indices in ([0, 2, 4], [5, 4, 3, 2, 1, 0], [3]):
        assert "StridedSlice" in operations(indices)
        assert "GatherV2" not in operations(indices)
    assert "GatherV2" in operations([0, 1, 3])


def test_a_permutation_gives_the_order_and_takes_it_back():
    x = tf.constant(np.random.default_rng(0).normal(size=(5, 4)))
    for order in itertools.permutations(range(4)):
        permutation = tb.Permutation(order)
        y = permutation.forward(x)
        np.testing.assert_array_equal(y, x.numpy()[:, list(order)])
        np.testing.assert_array_equal(permutation.inverse(tf.identity(y)), x)
