"""Sets whose probabilities are known."""

import itertools
import math

import numpy as np
import pytest

from tfflows.data import sets


def test_published_optima():
    """In bits a number, as Lippe & Gavves (2021) computed them."""
    optima = {name: sets.get(name).entropy / 16 / math.log(2) for name in sets.names()}
    assert optima["set_shuffling"] == pytest.approx(2.7656, abs=5e-5)
    assert optima["set_summation"] == pytest.approx(2.2427, abs=5e-5)


@pytest.mark.parametrize(
    "toy", [sets.Shuffling(4), sets.Summation(4, levels=4, total=9), sets.Summation(3, 9, 5)]
)
def test_draws_and_probabilities(toy):
    low, high = int(toy.bounds[0][0]), int(toy.bounds[1][0])
    every = np.array(list(itertools.product(range(low - 1, high + 2), repeat=toy.dim)))
    log_prob = toy.log_prob(every)
    assert np.exp(log_prob).sum() == pytest.approx(1.0)
    assert -np.sum(np.exp(log_prob) * np.maximum(log_prob, -99)) == pytest.approx(toy.entropy)
    n, support = 20_000, every[np.isfinite(log_prob)]
    x = toy.sample(n, seed=3)
    assert x.dtype == np.int32 and np.isfinite(toy.log_prob(x)).all()
    found, counts = np.unique(x, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, support)
    expected = n / len(support)
    chi_square = np.sum((counts - expected) ** 2 / expected)
    free = len(support) - 1
    assert chi_square < free + 5 * math.sqrt(2 * free)
    np.testing.assert_array_equal(x, toy.sample(n, seed=3))
    assert (x != toy.sample(n, seed=4)).any()


def test_errors():
    with pytest.raises(ValueError, match="name: expected one of set_shuffling, set_summation"):
        sets.get("sets")
    with pytest.raises(ValueError, match="total: expected 3 to 12, got 13"):
        sets.Summation(3, levels=4, total=13)
    with pytest.raises(ValueError, match="size: expected 2 or more, got 1"):
        sets.Shuffling(1)
    with pytest.raises(ValueError, match="n: expected 0 or more, got -1"):
        sets.get("set_shuffling").sample(-1, seed=0)
