"""Random vectors of trace estimates: each row of a batch has its own.

One vector for all rows would leave every row's estimate without bias, and give a batch's mean the
error of a single row. No mean over steps can see it.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.bijectors.free_form_maps import continuous_map, residual_map
from tfflows.networks.linearization import rademacher
from tfflows.random import training_noise

ROWS, STEPS, SIZE = 64, 60, 4
MAPS = {
    "residual": functools.partial(residual_map, size=SIZE, scale=0.5),
    "continuous": functools.partial(continuous_map, size=SIZE, scale=0.5),
}


@pytest.fixture(scope="module", params=MAPS)
def estimates(request):
    """Training estimates `[steps, rows]` of the log-determinant of one row, repeated in a batch."""
    bijector = MAPS[request.param]()
    y = tf.constant(np.tile(np.random.default_rng(0).normal(size=(1, SIZE)), [ROWS, 1]), tf.float32)

    @tf.function
    def draw(step):
        with training_noise(3, step):
            return bijector.inverse_and_log_det(y)[1]

    return np.stack([draw(tf.constant(step)) for step in range(STEPS)])


def test_rows_of_a_batch_have_probes_of_their_own(estimates):
    # Signs of 4 numbers make 8 different estimates, as v and -v give the same.
    different = [len(np.unique(step.round(5))) for step in estimates]
    assert min(different) > 1 and np.mean(different) > 5
    # Every row is as often above its mean as any other.
    assert len(np.unique(np.argmax(estimates, axis=1))) > 1


def test_errors_average_out_over_a_batch(estimates):
    """Independent errors: the variance of a batch's mean is that of one row over their number."""
    centred = estimates - estimates.mean()
    # The residual map's number of terms is shared by the batch, and leaves a little in common.
    assert centred.mean(axis=1).var() < 0.2 * centred.var()
    correlation = np.corrcoef(centred.T)
    others = correlation[~np.eye(ROWS, dtype=bool)]
    assert abs(others.mean()) < 0.15


def test_steps_have_probes_of_their_own(estimates):
    assert len(np.unique(estimates[:, 0].round(5))) > 5


def test_signs_are_independent_over_rows_and_columns():
    signs = rademacher(tf.constant([5, 6]), tf.zeros([4000, 3])).numpy()
    np.testing.assert_array_equal(np.unique(signs), [-1.0, 1.0])
    bound = 4.5 / np.sqrt(4000)
    assert np.abs(signs.mean(0)).max() < bound
    products = signs.T @ signs / 4000 - np.eye(3)
    assert np.abs(products).max() < bound
    assert np.abs((signs[1:] * signs[:-1]).mean(0)).max() < bound
