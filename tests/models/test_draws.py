"""Draws are as fine as float32 allows, in both tails."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import stats

from tfflows import Flow, distributions, random

tfb = tfp.bijectors

N = 1_000_000


def fresh_repeats(exact):
    """The share of repeats among exact draws, rounded to float32."""
    return 1.0 - len(np.unique(exact.astype(np.float32))) / len(exact)


@pytest.mark.parametrize("base", ["normal", "logistic", "uniform"])
def test_a_million_draws_repeat_as_often_as_float32_makes_them(base):
    draws = Flow(tfb.Identity(), [1], base=base).sample(N, seed=3).numpy()[:, 0]
    rng = np.random.default_rng(0)
    exact = {"normal": rng.normal, "logistic": rng.logistic, "uniform": rng.uniform}[base](size=N)
    repeats = 1.0 - len(np.unique(draws)) / N
    # On a grid of 2**-23 it is 0.057. The quantile function's own rounding doubles the least.
    assert repeats < 2.0 * fresh_repeats(exact)
    kind = {"normal": stats.norm, "logistic": stats.logistic, "uniform": stats.uniform}[base]
    assert stats.kstest(draws.astype(np.float64), kind.cdf).pvalue > 1e-3


def test_both_tails_are_fine_and_alike():
    v, upper, _ = random.tail_rows(random.row_seeds(4096, seed=1), 256)
    v, upper = v.numpy(), upper.numpy()
    assert 0.0 < v.min() and v.max() <= 0.5 and abs(upper.mean() - 0.5) < 2e-3
    for side in (upper, ~upper):
        tail = v[side & (v < 2.0**-10)]  # about 500: on a grid of 2**-23 one in 16 would repeat
        assert len(tail) > 400 and len(np.unique(tail)) == len(tail)
        assert stats.kstest(tail * 2.0**10, "uniform").pvalue > 1e-3
    for name in ("normal", "logistic", "beta(2,5)"):
        base = distributions.get(name)
        tiny = tf.constant([1e-12, 1e-6, 0.25, 0.5])
        low = base.tail_quantile(tiny, tf.zeros([4], tf.bool)).numpy()
        high = base.tail_quantile(tiny, tf.ones([4], tf.bool)).numpy()
        exact = {"normal": stats.norm, "logistic": stats.logistic}.get(name, stats.beta(2, 5))
        np.testing.assert_allclose(low, exact.ppf(np.float64(tiny)), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(high, exact.isf(np.float64(tiny)), rtol=1e-4, atol=1e-6)


def test_bits_of_a_number_do_not_go_with_those_of_another():
    v, upper, _ = random.tail_rows(random.row_seeds(20_000, seed=9), 8)
    u = np.where(upper, 1.0 - np.float64(v), v)
    fine = np.mod(u * 2.0**20, 1.0)  # the lower bits
    for numbers in (u, fine):
        correlation = np.corrcoef(numbers.T) - np.eye(8)
        assert np.abs(correlation).max() < 5 / np.sqrt(20_000)
    assert np.abs(np.corrcoef(u.T, fine.T)[:8, 8:]).max() < 5 / np.sqrt(20_000)


def test_the_contract_of_numbered_draws_holds():
    seeds = random.row_seeds(6, seed=2**62, start=5)
    whole, upper, rest = random.tail_rows(seeds, 7)
    alone, *_ = random.tail_rows(seeds[3:4], 7)
    np.testing.assert_array_equal(alone[0], whole[3])
    short, *_ = random.tail_rows(seeds, 3)
    np.testing.assert_array_equal(short, whole[:, :3])
    for compiled in (False, True):
        run = tf.function(lambda s: random.tail_rows(s, 7), jit_compile=compiled)
        got = run(seeds)
        np.testing.assert_array_equal(got[0], whole)
        np.testing.assert_array_equal(got[1], upper)
        np.testing.assert_array_equal(got[2], rest)
    # The leading bits are those of `uniform_rows`.
    np.testing.assert_allclose(
        random.from_tails(whole, upper), random.uniform_rows(seeds, 7), atol=2.0**-23
    )
    assert random.from_tails(tf.constant([1e-12]), tf.constant([True]))[0] < 1.0
