"""Conditioners: shapes, context, masks that hold, dropout, bad arguments."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.networks import (
    MLP,
    AutoregressiveNetwork,
    ConcatSquashMLP,
    LipschitzMLP,
    ResidualMLP,
)
from tfflows.random import training_noise


def _shake(network, seed=0):
    rng = np.random.default_rng(seed)
    for variable in network.variables:
        variable.assign_add(rng.normal(size=variable.shape).astype("float32") * 0.3)
    return network


@pytest.mark.parametrize("network", [MLP, ResidualMLP])
def test_zero_at_first_and_context_everywhere(network):
    layer = network(3, (8, 8))
    x, context = tf.ones([4, 2]), tf.eye(4, 5)
    assert not layer(x, context=context).numpy().any()
    plain = network(3, (8, 8))
    plain(x)
    assert len(layer.variables) > len(plain.variables)
    _shake(layer)
    assert len(np.unique(layer(x, context=context).numpy()[:, 0])) == 4


@pytest.mark.parametrize("network", [MLP, ResidualMLP])
def test_config_and_seed(network):
    layer = network(3, (8, 8), activation="tanh", dropout=0.2, seed=4)
    layer(tf.ones([1, 2]))
    again = network.from_config(layer.get_config())
    again(tf.ones([1, 2]))
    for a, b in zip(layer.variables, again.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    other = network(3, (8, 8), seed=5)
    other(tf.ones([1, 2]))
    pairs = zip(other.variables, layer.variables, strict=True)
    assert any(np.any(a.numpy() != b.numpy()) for a, b in pairs)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("context", [None, 3])
def test_masks_hold_whatever_the_weights(size, residual, context):
    network = AutoregressiveNetwork(
        2, size, (7, 7), activation="tanh", residual=residual, conditional_event_shape=context
    )
    keywords = {} if context is None else {"context": tf.ones([3, context])}
    network(tf.zeros([3, size]), **keywords)
    _shake(network)
    x = tf.random.stateless_normal([3, size], [0, 1])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, *keywords.values()])
        y = network(x, **keywords)
    assert y.shape == (3, size, 2)
    jacobian = tape.batch_jacobian(y, x).numpy()
    for d in range(size):
        assert not jacobian[:, d, :, d:].any()
        assert d == 0 or jacobian[:, d, :, :d].any(axis=1).all()  # and sees all before it
    if context is not None:
        by_context = tape.batch_jacobian(y, keywords["context"]).numpy()
        assert by_context.any(axis=(2, 3)).all()


def test_masked_network_in_tfps_own_flow():
    network = AutoregressiveNetwork(2, 3, (8, 8), activation="tanh")
    network(tf.zeros([1, 3]))
    _shake(network)
    assert isinstance(network, tfp.bijectors.AutoregressiveNetwork)
    flow = tfp.bijectors.MaskedAutoregressiveFlow(network)
    x = tf.random.stateless_normal([4, 3], [0, 1])
    np.testing.assert_allclose(flow.inverse(tf.identity(flow.forward(x))), x, atol=1e-4)


def test_masked_network_stays_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = AutoregressiveNetwork(2, 3, (8,))
        assert network(tf.zeros([1, 3])).dtype == tf.float32
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "network", [MLP(3, (64,), dropout=0.5), ResidualMLP(3, (64,), dropout=0.5)]
)
def test_dropout_only_in_training_and_keyed(network):
    x = tf.ones([4, 2])
    network(x)
    _shake(network)
    np.testing.assert_array_equal(network(x), network(x))

    def noisy(seed, step):
        with training_noise(seed, step):
            return network(x).numpy()

    np.testing.assert_array_equal(noisy(0, 1), noisy(0, 1))
    assert np.any(noisy(0, 1) != noisy(0, 2)) and np.any(noisy(0, 1) != noisy(1, 1))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: LipschitzMLP(2, (0,)),
            r"hidden_units: expected positive sizes, got \(0,",
        ),
        (
            lambda: ConcatSquashMLP(2, ()),
            r"hidden_units: expected positive sizes, got \(\)",
        ),
        (lambda: MLP(2, dropout=1.0), r"dropout: expected a rate in \[0, 1\), got 1.0"),
        (lambda: ResidualMLP(2, (4, 5)), r"hidden_units: expected equal sizes, got \[4, 5\]"),
        (
            lambda: AutoregressiveNetwork(2, 3, (4, 5), residual=True),
            "hidden_units: expected equal",
        ),
        (lambda: AutoregressiveNetwork(2, 3, dropout=-1), "dropout: expected a rate"),
        (lambda: AutoregressiveNetwork(2, 3, (4,))(tf.zeros([1, 2])), r"x: expected \[batch, 3\]"),
    ],
)
def test_bad_arguments(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_missing_context():
    network = AutoregressiveNetwork(2, 3, (4,), conditional_event_shape=2)
    with pytest.raises(ValueError, match="context: the network is conditional"):
        network(tf.zeros([1, 3]))
