"""Discrete flows: exact in both directions, permutations of all vectors, derivatives of choices."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.networks import CodeMLP, IntegerAutoregressiveNetwork


def moved(bijector, seed=0):
    """With variables that let it do something to most vectors."""
    rng = np.random.default_rng(seed)
    for variable in bijector.trainable_variables:
        variable.assign_add(0.5 * rng.normal(size=variable.shape))
    return bijector


def autoregressive(levels, scales, size=4, backwards=False, seed=0):
    def network(params):
        return IntegerAutoregressiveNetwork(params, size, levels, (24, 24), seed=seed)

    made = tb.ModularAutoregressive(size, tb.ModularAffine(levels, scales), network, backwards)
    return moved(made, seed)


def coupling(levels, scales, size=4, backwards=False, seed=0):
    mask = np.arange(size) % 2 == backwards
    made = tb.ModularCoupling(
        mask,
        tb.ModularAffine(levels, scales),
        lambda outputs: CodeMLP(outputs, 256, 24, 1, quantized=True, seed=seed),
    )
    return moved(made, seed)


KINDS = {"autoregressive": autoregressive, "coupling": coupling}


def stack(kind, levels, scales, layers, size=4):
    return tb.Chain(
        [KINDS[kind](levels, scales, size, layer % 2 == 1, layer) for layer in range(layers)]
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scales", [False, True])
@pytest.mark.parametrize("levels", [2, 3, 6, 7, 30])
def test_what_is_mapped_comes_back(kind, scales, levels):
    flow = stack(kind, levels, scales, layers=2)
    x = np.random.default_rng(0).integers(0, levels, (2000, 4))
    code = tf.one_hot(x, levels)
    z = flow.inverse(tf.identity(code))
    assert np.mean(np.argmax(z, -1) != x) > 0.05
    assert set(np.unique(z)) == {0.0, 1.0} and np.all(np.sum(z, -1) == 1)
    np.testing.assert_array_equal(flow.forward(tf.identity(z)), code)
    np.testing.assert_array_equal(flow.inverse_log_det_jacobian(tf.identity(code), 2), 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("levels", range(2, 31))
def test_deep_stacks_are_exact_on_many_rows(kind, levels):
    """Eight layers on 100,000 rows, mapped at once and mapped back in other batches."""
    flow = stack(kind, levels, True, layers=8, size=3)
    x = np.random.default_rng(0).integers(0, levels, (100_000, 3))
    z = np.argmax(flow.inverse(tf.one_hot(x, levels)), -1)
    back = tf.function(lambda z: tf.argmax(flow.forward(tf.one_hot(z, levels)), -1))
    parts = [back(tf.constant(part)) for part in np.split(z, 4)]
    np.testing.assert_array_equal(np.concatenate(parts), x)


@pytest.mark.parametrize("kind", KINDS)
def test_all_vectors_are_permuted(kind):
    flow = stack(kind, 4, True, layers=3, size=3)
    every = np.array(list(itertools.product(range(4), repeat=3)))
    z = np.argmax(flow.inverse(tf.one_hot(every, 4)), -1)
    assert len({tuple(row) for row in z}) == 64
    assert np.any(z != every)


def test_a_map_is_arithmetic_modulo_its_levels():
    """Written out: 9 levels have the units 1, 2, 4, 5, 7 and 8."""
    map = tb.ModularAffine(9, scales=True)
    assert map.parameters == 9 + 6
    units = [1, 2, 4, 5, 7, 8]
    for x, shift, which in itertools.product(range(9), range(9), range(6)):
        parameters = tf.concat([tf.one_hot(shift, 9), tf.one_hot(which, 6)], 0)
        y = map.forward(tf.one_hot([x], 9), parameters[tf.newaxis])
        assert np.argmax(y) == (units[which] * x + shift) % 9
        assert np.argmax(map.inverse(y, parameters[tf.newaxis])) == x
    assert tb.ModularAffine(2, scales=True).parameters == 2


@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_derivatives_count_what_each_choice_would_have_led_to(direction):
    """Of a linear function of the result: by a code, a shift and a scale, the others fixed."""
    levels = 7
    map = tb.ModularAffine(levels, scales=True)
    rng = np.random.default_rng(0)
    x, weights = rng.integers(0, levels, 5), tf.constant(rng.normal(size=(5, levels)), tf.float32)
    parameters = tf.constant(rng.normal(size=(5, map.parameters)), tf.float32)
    code = tf.one_hot(x, levels)
    apply = getattr(map, direction)
    with tf.GradientTape() as tape:
        tape.watch([code, parameters])
        value = tf.reduce_sum(weights * apply(code, parameters))
    by_code, by_parameters = tape.gradient(value, [code, parameters])

    def led_to(**changed):
        """The function's value of each row for another category, shift or scale."""
        shift, scale = np.split(parameters.numpy(), [levels], axis=1)
        now = {"x": x, "shift": shift.argmax(1), "scale": scale.argmax(1)}
        now |= {name: np.full(5, value) for name, value in changed.items()}
        choice = tf.concat([tf.one_hot(now["shift"], levels), tf.one_hot(now["scale"], 6)], 1)
        result = apply(tf.one_hot(now["x"], levels), choice)
        return np.sum(weights * result, 1)

    expected = np.stack([led_to(x=k) for k in range(levels)], 1)
    np.testing.assert_allclose(by_code, expected, rtol=1e-5)
    for part, name, count in (
        (slice(0, levels), "shift", levels),
        (slice(levels, None), "scale", 6),
    ):
        gains = np.stack([led_to(**{name: k}) for k in range(count)], 1)
        p = tf.nn.softmax(parameters[:, part]).numpy()
        slope = p * (gains - np.sum(p * gains, 1, keepdims=True))
        np.testing.assert_allclose(by_parameters[:, part], slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_determinant_is_zero_with_the_derivative_of_the_entropies(kind):
    levels, temperature = 6, 0.7
    map = tb.ModularAffine(levels, scales=True, temperature=temperature)
    flow = KINDS[kind](levels, True)
    flow.map.temperature = temperature
    code = tf.one_hot(np.random.default_rng(0).integers(0, levels, (9, 4)), levels)
    parameters = tf.constant(np.random.default_rng(1).normal(size=(4, map.parameters)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(parameters)
        bonus = map.entropy_bonus(parameters)
        entropy = 0.0
        for logits in (parameters[:, :levels], parameters[:, levels:]):
            p = tf.nn.softmax(logits)
            entropy -= tf.reduce_sum(p * tf.math.log(p))
        log_det = tf.reduce_sum(flow.inverse_log_det_jacobian(tf.identity(code), 2))
    np.testing.assert_array_equal(bonus, np.zeros(4))
    expected = temperature * tape.gradient(entropy, parameters)
    np.testing.assert_allclose(tape.gradient(bonus, parameters), expected, rtol=1e-4, atol=1e-6)
    assert log_det == 0.0
    assert any(np.any(g) for g in tape.gradient(log_det, flow.trainable_variables))


@pytest.mark.parametrize("size", [2, 5, 17])
def test_generation_equals_a_pass_for_each_number(size):
    levels = 5
    network = IntegerAutoregressiveNetwork(3 * levels, size, levels, (40, 40), seed=3)
    network(tf.zeros([1, size * levels]))
    rng = np.random.default_rng(1)
    for variable in network.trainable_variables:
        variable.assign_add(0.3 * rng.normal(size=variable.shape))
    x = tf.constant(rng.integers(0, levels, (50, size)), tf.float32)

    def choose(parameters, number):
        total = tf.argmax(parameters, -1, output_type=tf.int32) + tf.cast(number, tf.int32)
        return tf.cast(total % levels, number.dtype), tf.reduce_max(parameters, -1)

    y, total = network.generate_codes(choose, x)
    expected = np.zeros((50, size), np.float32)
    for step in range(size):
        parameters = network(tf.reshape(tf.one_hot(expected.astype(int), levels), [50, -1]))
        expected[:, step], _ = choose(parameters[:, step], x[:, step])
    np.testing.assert_array_equal(y, expected)
    parameters = network(tf.reshape(tf.one_hot(expected.astype(int), levels), [50, -1]))
    np.testing.assert_array_equal(total, np.max(parameters, -1).sum(1))
    assert len(np.unique(y)) == levels


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tb.ModularAffine(1), "levels: expected a whole number from 2"),
        (lambda: tb.ModularAffine(3, temperature=-1.0), "temperature: expected a number from 0"),
        (lambda: tb.ModularAffine(3, temperature=math.nan), "temperature: expected a number"),
        (
            lambda: tb.ModularCoupling([True, True], tb.ModularAffine(3), CodeMLP),
            "mask: expected a vector with some true and some false",
        ),
        (
            lambda: tb.ModularAutoregressive(
                3, tb.ModularAffine(3), IntegerAutoregressiveNetwork(4, 3, 3)
            ),
            r"network: .* expects a map from \[batch, 9\] to \[batch, 3, 3\]",
        ),
        (
            lambda: IntegerAutoregressiveNetwork(3, 400, 3),
            "features: expected at most 1032 numbers in a sum of a quantized network, got 1200",
        ),
        (lambda: coupling(3, False).forward(tf.zeros([2, 4, 2])), "modular_coupling"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
