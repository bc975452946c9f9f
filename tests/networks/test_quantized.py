"""Networks of 8-bit integers: whole-number arithmetic, the same however it is computed."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfflows.networks import IntegerConvNet, quantized
from tfflows.tracking import layer_variables


def network(width=8, blocks=2, outputs=5, **kwargs):
    net = IntegerConvNet(outputs, width=width, blocks=blocks, quantized=True, **kwargs)
    net.build((None, 6, 6, 3))
    rng = np.random.default_rng(1)
    for variable in net.trainable_variables:
        variable.assign_add(rng.normal(size=variable.shape).astype("float32") * 0.2)
    return net


def inputs(n=4, seed=0):
    return np.random.default_rng(seed).integers(-128, 128, (n, 6, 6, 3)).astype("float32")


def _weights(layer):
    """A layer's weights as whole numbers, and the binary exponents of its outputs' steps."""
    kernel, bias = (v.numpy().astype(np.float64) for v in (layer.kernel, layer.bias))
    largest = np.abs(kernel).max((0, 1, 2))
    exponent = np.clip(6 - np.floor(np.log2(largest)), -12, 12)
    whole = np.clip(np.floor(kernel * 2.0**exponent + 0.5), -127, 127)
    return (
        whole.astype(np.int64),
        np.floor(bias * 2.0 ** (exponent + 4) + 0.5).astype(np.int64),
        (exponent + 4),
    )


def _convolution(x, layer):
    """Sums of products of whole numbers, and the exponents of their steps."""
    kernel, bias, exponent = _weights(layer)
    side = kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (side, side), (side, side), (0, 0)))
    height, width = x.shape[1:3]
    total = np.zeros((*x.shape[:3], kernel.shape[-1]), np.int64)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            total += padded[:, i : i + height, j : j + width] @ kernel[i, j]
    assert np.abs(total).max() < 2**24
    return total + bias, exponent


def _hidden(total, exponent, low):
    """A sum in steps of 1 / 16, rounded half up and clipped."""
    value = total / 2.0 ** (exponent - 4)  # exact in float64
    return np.clip(np.floor(value + 0.5), low, 127).astype(np.int64)


def by_whole_numbers(net, x):
    """What the network computes, in int64."""
    h = _hidden(*_convolution(x.astype(np.int64), net.first), -127)
    for expand, contract in zip(net.expand, net.contract, strict=True):
        inner = _hidden(*_convolution(np.maximum(h, 0), expand), 0)
        total, exponent = _convolution(inner, contract)
        h = _hidden(total + h * 2.0 ** (exponent - 4), exponent, -127)
    total, exponent = _convolution(np.maximum(h, 0), net.last)
    return total / 2.0**exponent / 16.0


def test_the_network_computes_with_whole_numbers():
    net, x = network(), inputs()
    np.testing.assert_array_equal(net(x), by_whole_numbers(net, x))


def test_graph_xla_and_batches_give_the_same_bits():
    net, x = network(), inputs(9)
    expected = net(x).numpy()
    for compiled in (False, True):
        run = tf.function(net.call, jit_compile=compiled, autograph=False)
        np.testing.assert_array_equal(run(tf.constant(x)), expected)
    alone = np.concatenate([net(x[i : i + 1]) for i in range(9)])
    np.testing.assert_array_equal(alone, expected)


_ELSEWHERE = """
import hashlib, sys
import numpy as np
from tests.networks.test_quantized import inputs, network
print(hashlib.sha256(network(width=64)(inputs(16)).numpy().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_another_library_and_more_threads_give_the_same_bits():
    found = set()
    for one_dnn in "01":
        for threads in "12":
            variables = {"TF_ENABLE_ONEDNN_OPTS": one_dnn, "TF_NUM_INTRAOP_THREADS": threads}
            done = subprocess.run(
                [sys.executable, "-c", _ELSEWHERE],
                env=os.environ | variables,
                capture_output=True,
                text=True,
                check=True,
            )
            found.add(done.stdout)
    assert len(found) == 1


def test_gradients_reach_every_weight_of_a_quantized_network():
    net = network()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.square(net(inputs())))
    for variable, gradient in zip(
        net.trainable_variables, tape.gradient(total, layer_variables(net)), strict=True
    ):
        assert np.isfinite(gradient).all() and np.any(gradient != 0), variable.path


def test_a_quantized_network_is_near_the_float_one():
    exact, x = network(), inputs()
    other = IntegerConvNet(5, width=8, blocks=2, quantized=False)
    other.build((None, 6, 6, 3))
    other.set_weights(exact.get_weights())
    # Hidden numbers have steps of 1 / 16 and end at +-8: small inputs, hidden numbers around 1.
    x = np.round(x / 16.0)
    assert np.abs(exact(x) - other(x)).mean() < 0.15 * np.abs(other(x)).mean()


def test_a_network_starts_at_zero():
    net = IntegerConvNet(4, width=8, quantized=True)
    np.testing.assert_array_equal(net(inputs()), np.zeros((4, 6, 6, 4)))


def test_many_levels_lose_their_low_bits_only_on_the_way_in():
    net = network(levels=2**12)
    x = 16 * inputs()
    np.testing.assert_array_equal(net(x), net(x + 15))
    assert np.any(net(x) != net(x + 16))


def test_sums_that_float32_may_round_are_refused():
    with pytest.raises(
        ValueError, match="width: expected at most 1032 numbers in a sum .* got 1044"
    ):
        IntegerConvNet(4, width=116, quantized=True).build((None, 6, 6, 3))
    IntegerConvNet(4, width=116).build((None, 6, 6, 3))


@pytest.mark.parametrize("argument", ["width", "blocks"])
def test_sizes_are_checked(argument):
    with pytest.raises(ValueError, match=f"{argument}: expected at least 1, got 0"):
        IntegerConvNet(4, **{argument: 0})


def test_the_largest_sums_stay_exact():
    assert quantized._MOST_INPUTS * 128 * 127 < 2**24
    kernel = tf.fill([1032, 2], 5.0)
    whole, bias = quantized.quantized_weights(kernel, tf.constant([1e30, -1e30]))
    np.testing.assert_array_equal(whole * 16.0, np.full((1032, 2), 80.0))
    units = bias.numpy() * 16.0 * 16.0
    assert (1032 * 128 * 127 + np.abs(units) < 2**24).all()
