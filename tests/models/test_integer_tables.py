"""Integer tables: near the exact probabilities, all positive, and always the same."""

import decimal

import numpy as np
import pytest
from scipy.special import expit, softmax

from tfflows.models.discrete import priors, tables


@pytest.fixture(scope="module")
def logistic():
    return tables.LogisticTables(256, priors.PHASES, priors.log_scales(256))


def places(n=2000):
    rng = np.random.default_rng(0)
    means = rng.integers(0, 255 * priors.PHASES + 1, n)
    means[:2] = 0, 255 * priors.PHASES
    return means, rng.integers(0, priors.SCALES, n)


def test_shares_are_those_of_the_discretized_logistic(logistic):
    means, scales = places()
    shares = logistic.shares(means, scales).astype(np.float64)
    edges = np.arange(257) - 0.5 - means[:, np.newaxis] / priors.PHASES
    below = expit(edges / np.exp(priors.log_scales(256))[scales, np.newaxis])
    below[:, 0], below[:, -1] = 0, 1
    # An integer more than the exact one each, and less room by as many.
    assert np.abs(shares - np.diff(below)).max() * tables.TOTAL < 3 + 512


def test_every_integer_can_be_coded_and_shares_are_exact(logistic):
    shares = logistic.shares(*places()).astype(np.float64) * tables.TOTAL
    assert np.array_equal(shares, np.round(shares)) and shares.min() >= 1
    np.testing.assert_array_equal(shares.sum(1), tables.TOTAL)


def test_no_integer_is_more_probable_than_the_bound(logistic):
    """The bound decides which files hold too little code for their images."""
    scales = np.arange(priors.SCALES)
    for mean in (0, 1, 2040, 2048, 255 * priors.PHASES):
        shares = logistic.shares(np.full(priors.SCALES, mean), scales).astype(np.float64)
        assert shares.max() <= logistic.largest
    assert 0.9999 < logistic.largest < 1.0


def test_the_tables_are_always_the_same(logistic):
    """A codec on another machine has computed with these: they are a part of the format."""
    assert logistic.sha256() == ("d6ad9385bdde4fa7b8757c9cdf9012ffc7929a8c71ec2d05bd9a8a737162bb1f")


def test_the_callers_decimal_context_does_not_matter():
    exact = tables.LogisticTables(8, 4, priors.log_scales(8)).sha256()
    learned = tables.mixture_edges(256, *mixtures(2))
    with decimal.localcontext(prec=5, rounding=decimal.ROUND_UP) as context:
        context.traps[decimal.FloatOperation] = context.traps[decimal.Inexact] = True
        assert tables.LogisticTables(8, 4, priors.log_scales(8)).sha256() == exact
        np.testing.assert_array_equal(tables.mixture_edges(256, *mixtures(2)), learned)


def mixtures(n=20, components=5, levels=256):
    rng = np.random.default_rng(0)
    shape = (n, components)
    arguments = rng.normal(size=shape), rng.uniform(-20, 270, shape), rng.uniform(-3, 5, shape)
    return [a.astype(np.float32) for a in arguments]


def test_mixtures_are_weighted_sums():
    logits, means, log_scales = mixtures()
    shares = tables.shares_of(tables.mixture_edges(256, logits, means, log_scales))
    weights = softmax(logits.astype(np.float64), axis=1)
    edges = np.arange(257)[:, np.newaxis] - 0.5 - means[:, np.newaxis].astype(np.float64)
    below = (weights[:, np.newaxis] * expit(edges / np.exp(log_scales[:, np.newaxis]))).sum(-1)
    below[:, 0], below[:, -1] = 0, 1
    assert np.abs(shares - np.diff(below)).max() * tables.TOTAL < 258
    whole = shares.astype(np.float64) * tables.TOTAL
    assert np.array_equal(whole, np.round(whole)) and whole.min() >= 1
    np.testing.assert_array_equal(whole.sum(1), tables.TOTAL)


def test_the_distribution_function_is_correctly_rounded():
    """To the 22 bits of a table, from far below to far above its middle."""
    context = decimal.Context(prec=60)
    start, step, count = decimal.Decimal("-70.3"), decimal.Decimal("0.37"), 400
    for i, share in enumerate(tables.logistic(start, step, count)):
        t = start + i * step
        right = context.divide(decimal.Decimal(1), 1 + context.exp(-t))
        assert abs(decimal.Decimal(share) / 2**96 - right) < decimal.Decimal(2) ** -80
