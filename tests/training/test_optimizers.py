import keras
import numpy as np
import pytest

from tfflows import training


def rate(schedule, step):
    return float(keras.ops.convert_to_numpy(schedule(step)))


@pytest.mark.parametrize("name", ["adam", "adamax", "adamw", "lion", "muon", "nadam", "sgd"])
def test_every_optimizer_lowers_a_quadratic(name):
    optimizer = training.optimizer(name, 0.01, weight_decay=1e-4, clip_norm=5.0)
    variable = keras.Variable(np.full([4, 4], 2.0), dtype="float32")
    optimizer.build([variable])
    for _ in range(20):
        optimizer.apply([2.0 * variable.value], [variable])
    assert float(np.max(variable.numpy())) < 2.0
    assert optimizer.global_clipnorm == 5.0


def test_zero_means_none():
    optimizer = training.optimizer("adam", clip_norm=0.0)
    assert optimizer.global_clipnorm is None and optimizer.weight_decay is None
    assert training.optimizer("sgd", momentum=0.7).momentum == 0.7


def test_schedules():
    assert training.learning_rate("constant", 0.1, 100) == 0.1
    cosine = training.learning_rate("cosine", 0.1, 100)
    assert rate(cosine, 0) == pytest.approx(0.1)
    assert rate(cosine, 50) == pytest.approx(0.05)
    assert rate(cosine, 100) == pytest.approx(0.0, abs=1e-8)
    warm = training.learning_rate("constant", 0.1, 100, warmup=10)
    assert rate(warm, 0) == 0.0
    assert rate(warm, 5) == pytest.approx(0.05)
    assert rate(warm, 90) == pytest.approx(0.1)
    both = training.learning_rate("cosine", 0.1, 100, warmup=20)
    assert rate(both, 20) == pytest.approx(0.1)
    assert rate(both, 60) == pytest.approx(0.05)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("linear", 0.1, 10, 0), "schedule: expected one of constant, cosine, got 'linear'"),
        (("cosine", 0.0, 10, 0), "learning_rate: expected a positive number, got 0.0"),
        (("cosine", float("nan"), 10, 0), "learning_rate: expected a positive number, got nan"),
        (("cosine", 0.1, 10, 11), "warmup: expected 0 to 10 steps, got 11"),
    ],
)
def test_bad_schedule(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.learning_rate(*arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "adma"}, "optimizer: expected one of adam, .* got 'adma'"),
        ({"name": "adam", "weight_decay": -1.0}, "weight_decay: expected 0 or more"),
        ({"name": "adam", "clip_norm": -1.0}, "clip_norm: expected 0 or more"),
        ({"name": "adam", "clip_norm": float("nan")}, "clip_norm: expected 0 or more, got nan"),
        ({"name": "sgd", "momentum": 1.5}, "momentum: expected 0 to 1, got 1.5"),
    ],
)
def test_bad_optimizer(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.optimizer(**arguments)
