import keras
import numpy as np
import pytest
import tensorflow as tf

from tfflows import training
from tfflows.training.optimizers import _OPTIMIZERS


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


@pytest.mark.parametrize("name", list(_OPTIMIZERS))
@pytest.mark.parametrize("shape", [(3,), (2, 2)])
def test_weights_decay_where_that_is_asked_for(name, shape):
    for decay in (0.0, 0.1):
        optimizer = training.optimizer(name, 0.01, weight_decay=decay)
        variable = keras.Variable(np.full(shape, 2.0), dtype="float32")
        optimizer.build([variable])
        optimizer.apply([tf.zeros(shape)], [variable])
        # A step of decay takes away `learning_rate * weight_decay` of it.
        np.testing.assert_allclose(variable.numpy(), 2.0 * (1.0 - 0.01 * decay), rtol=1e-6)


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_adam_is_keras_adam(name, dtype, jit_compile):
    """Steps of both are equal, under a schedule, clipping, decay and an average of the weights."""
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(3, 2)), rng.normal(size=(20, 3, 2)).astype(dtype)

    def trained(family):
        variable = keras.Variable(start, dtype=dtype)
        optimizer = getattr(family, name)(
            training.learning_rate("cosine", 0.1, 20, 3),
            beta_1=0.8,
            beta_2=0.95,
            epsilon=1e-3,
            weight_decay=0.1,
            global_clipnorm=2.0,
            use_ema=True,
        )
        optimizer.build([variable])
        step = tf.function(lambda g: optimizer.apply([g], [variable]), jit_compile=jit_compile)
        for gradient in gradients:
            step(tf.constant(gradient))
        return [variable.numpy(), *(v.numpy() for v in optimizer.variables[2:])]

    results = trained(training), trained(keras.optimizers)
    assert np.abs(results[0][0] - start).max() > 0.1
    for ours, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=2e-6, atol=1e-7)


def test_adam_is_one_operation_a_variable():
    def operations(family, count):
        variables = [keras.Variable(np.ones(2, "float32")) for _ in range(count)]
        optimizer = family.Adam()
        optimizer.build(variables)
        step = tf.function(lambda: optimizer.apply([v.value for v in variables], variables))
        return len(step.get_concrete_function().graph.get_operations())

    ours, keras_own = [operations(f, 3) - operations(f, 2) for f in (training, keras.optimizers)]
    assert ours < 20 and ours < keras_own / 2


def test_adam_takes_rows_of_gradients_and_amsgrad():
    rows = tf.IndexedSlices(tf.ones([1, 2]), tf.constant([1]), tf.constant([3, 2]))
    for gradient, options in ((rows, {}), (tf.ones([3, 2]), {"amsgrad": True})):
        results = []
        for family in (training, keras.optimizers):
            variable = keras.Variable(np.ones([3, 2], "float32"))
            optimizer = family.Adam(0.1, **options)
            optimizer.build([variable])
            optimizer.apply([gradient], [variable])
            results.append(variable.numpy())
        assert results[0].min() < 0.95
        np.testing.assert_array_equal(*results)


def test_adam_from_its_config():
    optimizer = training.Adam(0.1, beta_1=0.5, name="mine")
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is training.Adam and again.get_config() == optimizer.get_config()


def test_zero_means_none():
    optimizer = training.optimizer("adam", clip_norm=0.0)
    assert optimizer.global_clipnorm is None and optimizer.weight_decay is None
    assert training.optimizer("sgd", momentum=0.7).momentum == 0.7


def test_the_whole_gradient_is_clipped_and_keeps_its_direction():
    """Not each variable's part: that would turn the gradient."""
    variables = [keras.Variable(np.zeros(1, "float32")) for _ in range(2)]
    optimizer = training.optimizer("sgd", 1.0, momentum=0.0, clip_norm=1.0)
    optimizer.build(variables)
    optimizer.apply([tf.constant([3.0]), tf.constant([4.0])], variables)
    np.testing.assert_allclose([v.numpy()[0] for v in variables], [-0.6, -0.8], rtol=1e-6)
    optimizer.apply([tf.constant([0.03]), tf.constant([-0.04])], variables)  # short enough
    np.testing.assert_allclose([v.numpy()[0] for v in variables], [-0.63, -0.76], rtol=1e-6)


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
    assert rate(both, 0) == 0.0 and rate(both, 10) == pytest.approx(0.05)
    assert rate(both, 100) == pytest.approx(0.0, abs=1e-8)
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


@pytest.mark.parametrize(
    ("ema", "steps", "expected"),
    [(0.0, 10, 0.0), (0.999, 13_000, 0.999), (0.998, 300, 0.96), (0.998, 10, 0.0), (1.5, 10, 1.5)],
)
def test_average_goes_back_over_a_twelfth_of_the_run(ema, steps, expected):
    assert training.average_momentum(ema, steps) == pytest.approx(expected)
