"""Discrete flows: probabilities that sum to one, draws that follow them, what they can learn."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.small_integers import started
from tfflows.models import DiscreteFlow, IntegerDiscreteFlow


def flow(dim=3, levels=5, scale=0.4, **kwargs):
    return started(DiscreteFlow(dim, levels=levels, **{"layers": 3, "width": 8} | kwargs), scale)


@pytest.mark.parametrize(
    ("autoregressive", "base", "least"),
    [
        (False, "independent", [-2, 10, 1000]),
        (True, "autoregressive", [0, 0, 0]),
        pytest.param(False, "autoregressive", [-2, 10, 1000], marks=pytest.mark.slow),
        pytest.param(True, "independent", [0, 0, 0], marks=pytest.mark.slow),
    ],
)
def test_probabilities_sum_to_one_and_draws_follow_them(autoregressive, base, least):
    model = flow(autoregressive=autoregressive, base=base, scales=True)
    model.set_least(least)
    every = np.array(list(itertools.product(range(5), repeat=3))) + least
    probabilities = np.exp(np.float64(model.log_prob(every)))
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    n = 40_000
    counts = np.bincount((model.sample(n, seed=0).numpy() - least) @ [25, 5, 1], minlength=125)
    chi_square = np.sum((counts - n * probabilities) ** 2 / (n * probabilities))
    assert chi_square < 124 + 5 * math.sqrt(2 * 124)


def test_the_base_starts_from_data():
    model = DiscreteFlow(2, levels=4, layers=2, width=8)
    x = np.random.default_rng(0).choice(4, (20_000, 2), p=[0.5, 0.3, 0.2, 0.0])
    model.initialize(x)
    entropy = -2 * sum(p * math.log(p) for p in (0.5, 0.3, 0.2))
    assert -np.mean(model.log_prob(x)) == pytest.approx(entropy, abs=0.02)
    assert np.isfinite(model.log_prob(np.array([[3, 3]]))).all()


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1, 3])
def test_a_category_that_another_one_determines_costs_nothing(factor):
    """The entropy of the pair is that of its first."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(7))
    first = rng.choice(7, 100_000, p=p)
    x = np.stack([first, (factor * first + 3) % 7], 1).astype(np.int32)
    model = DiscreteFlow(2, levels=7, layers=2, scales=factor != 1)
    model.initialize(x)
    rate = keras.optimizers.schedules.CosineDecay(0.02, 2000)
    model.compile(keras.optimizers.Adam(rate), jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices(x).repeat().batch(512, drop_remainder=True)
    model.fit(data, steps_per_epoch=2000, verbose=0)
    pairs = np.stack([np.arange(7), (factor * np.arange(7) + 3) % 7], 1)
    divergence = np.sum(p * (np.log(p) - np.float64(model.log_prob(pairs)))) / math.log(2)
    assert divergence < 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dim": 1}, "dim: expected a whole number from 2.*got 1"),
        ({"base": "normal"}, "base: expected one of independent, autoregressive, got 'normal'"),
        ({"levels": 1}, "levels: expected a whole number from 2"),
        ({"levels": 2.5}, "levels: expected a whole number, got 2.5"),
        ({"layers": 0}, "layers: expected at least 1, got 0"),
        ({"temperature": -1.0}, "temperature: expected a number from 0, got -1.0"),
        ({"dim": 2.5}, "dim: expected a whole number"),
        ({"dim": 600, "autoregressive": True}, "features: expected at most 1032 numbers"),
        ({"dim": 900}, "width: expected at most 1032 numbers"),
        ({"width": 2000}, "width: expected at most 1032 numbers"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        DiscreteFlow(**{"dim": 2, "levels": 3, "layers": 1} | arguments)


@pytest.mark.parametrize("model", [DiscreteFlow, IntegerDiscreteFlow])
def test_only_rows_of_the_range_are_started_from(model):
    made = model(2, levels=3, layers=1, width=4)
    for x, message in (
        (
            np.array([[0, 1], [3, 0]]),
            "x: expected integers 0 to 2, got .* in row 1",
        ),
        (np.array([[0, -1]]), "x: expected integers 0 to 2"),
        (np.array([[0.5, 1.0]]), "x: expected integers|x: .*whole"),
        (np.zeros([0, 2], np.int32), "x: expected at least one row"),
    ):
        with pytest.raises(ValueError, match=message):
            made.initialize(x)
        assert not made.initialized
