"""Seeds of any integer type and size work, or are refused in words."""

import numpy as np
import pytest
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows import models

SMALL = {"layers": 1, "hidden_units": (4,)}


def vectors(seed):
    return models.RealNVP(2, seed=seed, **SMALL)


MAKERS = {
    "RealNVP": vectors,
    "Gaussian": lambda seed: models.Gaussian(2, seed=seed),
    "Histogram": lambda seed: models.Histogram(2, seed=seed),
    "Flow": lambda seed: models.Flow(tb.Permutation([1, 0]), [2], seed=seed),
}


@pytest.mark.parametrize("name", MAKERS)
def test_seed_of_a_model(name):
    for seed in (np.int32(3), np.uint64(3), np.array(3), 3):
        assert type(MAKERS[name](seed).seed) is int and MAKERS[name](seed).seed == 3
    for seed in (1.5, 3.0, "3", None, 2**63, np.uint64(2**63), -(2**63) - 1, [1]):
        with pytest.raises(ValueError, match="seed: expected a whole number from -") as error:
            MAKERS[name](seed)
        assert repr(seed) in str(error.value)


def test_seed_of_permutations():
    order = models.NSF(9, linear="lu", seed=4294968, **SMALL).bijector.bijectors[0]._order
    for seed in (-1, 2**63 - 1, 4294966):
        other = models.NSF(9, linear="lu", seed=seed, **SMALL).bijector.bijectors[0]._order
        assert sorted(other) == list(range(9)) and list(other) != list(order)


def test_seed_of_draws():
    flow = models.Flow(tb.Permutation([1, 0]), [2])
    expected = flow.sample(2, seed=3)
    for seed in (np.int32(3), np.uint64(3), np.array(3), tf.constant(3)):
        np.testing.assert_array_equal(flow.sample(2, seed=seed), expected)
    assert np.isfinite(flow.sample(1, seed=2**63 - 1)).all()
    assert np.isfinite(flow.sample(1, seed=-(2**63))).all()
    for seed in (2**63, np.uint64(2**63), -(2**63) - 1, 3.0, "3"):
        with pytest.raises(ValueError, match="seed: expected a whole number from"):
            flow.sample(1, seed=seed)
