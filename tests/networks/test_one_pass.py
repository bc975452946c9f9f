"""Generation by a masked network piece by piece equals generation by one pass a number."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.bijector_registry import MAPS
from tfflows import bijectors as tb
from tfflows import networks
from tfflows.networks import one_pass

BATCH = 3
SHAPES = {
    # size, hidden units, residual, context
    "one_number": (1, (8,), False, None),
    "two": (2, (8, 8), False, None),
    "one_block": (4, (16, 16), False, None),
    "blocks": (9, (20, 20), False, None),
    "fewer_units_than_numbers": (11, (5, 5), False, None),
    "unequal_layers": (13, (30, 7, 12), False, None),
    "residual": (9, (16, 16), True, None),
    "few_residual_units": (14, (6, 6), True, None),
    "context": (9, (20, 20), False, 3),
    "residual_context": (6, (8,), True, 3),
    "one_number_context": (1, (4,), False, 2),
}


@functools.cache
def _bijector(shape, map="affine", dtype="float64"):
    size, hidden, residual, context = SHAPES[shape]
    context = None if context is None else (context,)
    network = functools.partial(
        networks.AutoregressiveNetwork,
        event_shape=size,
        hidden_units=hidden,
        activation="tanh",
        residual=residual,
        conditional_event_shape=context,
        dtype=dtype,
    )
    bijector = tb.MaskedAutoregressive(size, MAPS[map], network, context)
    rng = np.random.default_rng(size)
    for variable in bijector.variables:
        variable.assign_add(tf.constant(0.5 * rng.normal(size=variable.shape), dtype))
    return bijector


def _arguments(bijector, dtype="float64"):
    rng = np.random.default_rng(1)
    x = tf.constant(rng.uniform(0.05, 0.95, [BATCH, bijector._size]), dtype)
    if bijector.context_shape is None:
        return x, None
    return x, tf.constant(rng.normal(size=[BATCH, *bijector.context_shape]), dtype)


def _gradients(function, bijector, x, context):
    watched = [x] if context is None else [x, context]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        y, log_det = function(x, context)
        weights = tf.reshape(tf.range(1, 1 + tf.size(y)), tf.shape(y))
        total = tf.reduce_sum(tf.sin(y * tf.cast(weights, y.dtype))) + tf.reduce_sum(log_det**2)
    sources = watched + [v for v in bijector.trainable_variables if "context" not in v.name]
    gradients = tape.gradient(total, sources, unconnected_gradients="zero")
    return [y, log_det, *gradients]


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_one_pass_a_number(shape):
    bijector = _bijector(shape)
    x, context = _arguments(bijector)
    got = bijector.forward_and_log_det(x, context)
    for a, b in zip(got, bijector._by_passes(x, context), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("map", [name for name in MAPS if name != "affine"])
def test_equals_one_pass_a_number_for_every_map(map):
    bijector = _bijector("fewer_units_than_numbers", map)
    x, context = _arguments(bijector)
    got = bijector.forward_and_log_det(x, context)
    for a, b in zip(got, bijector._by_passes(x, context), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("shape", "jit_compile"), [("fewer_units_than_numbers", False), ("residual_context", True)]
)
def test_gradients_equal_those_of_one_pass_a_number(shape, jit_compile):
    bijector = _bijector(shape)
    arguments = _arguments(bijector)

    @tf.function(jit_compile=jit_compile)
    def run(x, context):
        return _gradients(bijector.forward_and_log_det, bijector, x, context)

    expected = _gradients(bijector._by_passes, bijector, *arguments)
    for a, b in zip(run(*arguments), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


def test_sample_shapes_of_rank_two_and_a_context_for_each_row():
    bijector = _bijector("context")
    x, context = _arguments(bijector)
    y = bijector.forward(tf.stack([x, 0.5 * x]), context=context)
    np.testing.assert_allclose(y[0], bijector.forward(x, context=context), rtol=1e-10)
    np.testing.assert_allclose(y[1], bijector.forward(0.5 * x, context=context), rtol=1e-10)


def test_no_dropout_in_generation():
    from tfflows.random import training_noise

    network = functools.partial(
        networks.AutoregressiveNetwork, event_shape=5, hidden_units=(16, 16), dropout=0.5
    )
    bijector = tb.MaskedAutoregressive(5, tb.Affine(), network)
    for variable in bijector.variables:
        variable.assign_add(tf.random.stateless_normal(variable.shape, [1, 2]))
    x = tf.random.stateless_normal([BATCH, 5], [3, 4])
    with training_noise(0, 0):
        inside = bijector.forward(tf.identity(x))
        noisy = bijector.inverse(tf.identity(inside))
    np.testing.assert_allclose(inside, bijector.forward(tf.identity(x)))
    assert np.abs(noisy - x).max() > 1e-3


def test_units_two_steps_too_late_are_seen(monkeypatch):
    bijector = _bijector("blocks")
    x, context = _arguments(bijector)
    expected = bijector._by_passes(x, context)[0]

    class Late(one_pass._Blocks):
        def __init__(self, steps, length, count):
            late = np.minimum(steps + 2, length * count - 1) if length > 1 else steps
            super().__init__(late, length, count)

    monkeypatch.setattr(one_pass, "_Blocks", Late)
    assert np.abs(bijector.forward(tf.identity(x)) - expected).max() > 1e-6


def test_work_is_about_that_of_one_pass():
    size, hidden = 256, 256
    network = networks.AutoregressiveNetwork(2, size, (hidden, hidden))
    bijector = tb.MaskedAutoregressive(size, tb.Affine(), network)
    x = tf.zeros([32, size])

    def flops(function):
        graph = tf.function(function).get_concrete_function(x).graph
        options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        with graph.as_default():
            return tf.compat.v1.profiler.profile(graph, options=options).total_float_ops

    # The loop's body is one block of several: its products with all of the network's inputs are a
    # share of one pass, and what it repeats within is less than that.
    steps = size
    blocks = -(-steps // one_pass.block_length(steps))
    body = flops(bijector.forward)
    assert body * blocks < 4 * flops(bijector.inverse)
