"""Networks that go along the vector: what each output sees, and the same one step at a time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.networks import FiniteDependencyNetwork, RecurrentNetwork, recurrent

PARAMS = 2


def network(kind, size, context=None):
    """A built network with no weight at zero."""
    if kind == "finite":
        layer = FiniteDependencyNetwork(PARAMS, size, 2, (8, 7), activation="tanh")
    else:
        layer = RecurrentNetwork(PARAMS, size, (6, 5))
    layer(tf.zeros([1, size]), **({} if context is None else {"context": tf.zeros([1, context])}))
    rng = np.random.default_rng(0)
    for variable in layer.variables:
        variable.assign(variable + 0.4 * rng.normal(size=variable.shape))
    return layer


def inputs(size, context=None, dtype="float32", batch=3):
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(size=(batch, size)), dtype)
    context = None if context is None else tf.constant(rng.normal(size=(batch, context)), dtype)
    return x, context


def step_along(layer, x, context):
    """The parameters by `step` in a loop, from the numbers of `x`."""
    batch, size = tf.shape(x)[0], layer.size
    before = tf.transpose(tf.pad(x[:, :-1], [[0, 0], [1, 0]]))

    def step(index, state, found):
        parameters, state = layer.step(index, tf.gather(before, index), state, context)
        return index + 1, state, found.write(index, parameters)

    found = tf.TensorArray(layer.compute_dtype, size, element_shape=[x.shape[0], PARAMS])
    start = (tf.constant(0), layer.initial_state(batch, context, x.dtype), found)
    loop = tf.while_loop(lambda i, *_: i < size, step, start, maximum_iterations=size)
    return tf.transpose(loop[2].stack(), [1, 0, 2])


KINDS = ["recurrent", "looped", "finite"]


@pytest.fixture(params=KINDS)
def kind(request, monkeypatch):
    """What is tested; long recurrent networks go by a loop, and here short ones do."""
    if request.param == "looped":
        monkeypatch.setattr(recurrent, "_UNROLLED", 0)
    return request.param


@pytest.mark.parametrize("size", [1, 2, 5])
def test_an_output_sees_what_is_before_it(kind, size):
    layer = network(kind, size, context=3)
    x, context = inputs(size, 3, batch=1)
    apart = x + tf.eye(size)  # row i differs in number i
    y = layer(tf.concat([x, apart], 0), context=tf.repeat(context, 1 + size, 0)).numpy()
    assert y.shape == (1 + size, size, PARAMS)
    sees = np.abs(y[1:] - y[0]).max(axis=-1).T > 1e-5  # [output, input]
    output, number = np.indices((size, size))
    reach = 2 if kind == "finite" else size
    np.testing.assert_array_equal(sees, (number < output) & (number >= output - reach))
    assert (np.abs(layer(x, context=context + 1.0) - y[:1]).max(axis=-1) > 0).all()


def test_step_by_step_is_the_same(kind):
    layer = network(kind, 4, context=3)
    x, context = inputs(4, 3)
    expected = layer(x, context=context)
    specs = [tf.TensorSpec([None, 4]), tf.TensorSpec([None, 3])]

    def run(x, context):
        return step_along(layer, x, context)

    # Unknown batch in a graph; static under XLA.
    for function in (run, tf.function(run, input_signature=specs), tf.function(run, jit_compile=1)):
        np.testing.assert_allclose(function(x, context), expected, atol=1e-6)


def test_gradients_under_xla(kind):
    layer = network(kind, 4)
    x, _ = inputs(4)
    weights = [v.value for v in layer.trainable_variables]

    def gradients(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(x)))
        return tape.gradient(loss, weights)

    compiled = tf.function(gradients, jit_compile=True)
    for eager, xla in zip(gradients(x), compiled(x), strict=True):
        assert np.abs(eager).max() > 0
        np.testing.assert_allclose(eager, xla, rtol=1e-3, atol=1e-4)


def test_a_loop_is_the_same(monkeypatch):
    layer, (x, context) = network("recurrent", 4, context=3), inputs(4, 3)
    unrolled = layer(x, context=context)
    monkeypatch.setattr(recurrent, "_UNROLLED", 0)
    np.testing.assert_allclose(layer(x, context=context), unrolled, atol=1e-6)


def test_a_flow_inverts(kind):
    flow = tb.MaskedAutoregressive(4, tb.Affine(), network(kind, 4, context=3), context_shape=(3,))
    x, context = inputs(4, 3)
    z = flow.inverse(x, context=context)
    np.testing.assert_allclose(flow.forward(tf.identity(z), context=context), x, atol=1e-5)


@pytest.mark.parametrize("build", [RecurrentNetwork, FiniteDependencyNetwork])
def test_zero_at_first_seed_and_config(build):
    layer = build(PARAMS, 4, hidden_units=(6, 5), seed=3, dtype="float64")
    x = inputs(4, dtype="float64")[0]
    assert not layer(x).numpy().any() and layer(x).dtype == tf.float64
    again, other = build.from_config(layer.get_config()), build(PARAMS, 4, hidden_units=(6, 5))
    again(x), other(x)
    assert layer.get_config() == again.get_config()
    pairs = list(zip(layer.variables, again.variables, other.variables, strict=True))
    for a, b, _ in pairs:
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert any(np.any(a.numpy() != c.numpy()) for a, _, c in pairs)
    assert len({v.name for v in layer.variables}) == len(layer.variables)


def test_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        for layer in (RecurrentNetwork(2, 3), FiniteDependencyNetwork(2, 3)):
            assert layer(tf.zeros([1, 3])).dtype == tf.float32
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RecurrentNetwork(0, 3), "params: expected at least 1, got 0"),
        (lambda: RecurrentNetwork(2, 0), "size: expected at least 1, got 0"),
        (lambda: RecurrentNetwork(2, 3, ()), r"hidden_units: expected one or more .*, got \[\]"),
        (lambda: FiniteDependencyNetwork(2, 3, 0), "last: expected at least 1, got 0"),
        (lambda: RecurrentNetwork(2, 3)(tf.zeros([1, 2])), r"x: expected \[batch, 3\], got"),
    ],
)
def test_bad_arguments(build, message):
    with pytest.raises(ValueError, match=message):
        build()
