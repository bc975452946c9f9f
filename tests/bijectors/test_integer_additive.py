"""Rounded shifts of integers: bijections of the range, exact, with straight gradients."""

import numpy as np
import pytest
import tensorflow as tf

from tests.small_flows import shake
from tfflows import bijectors as tb
from tfflows import networks


@pytest.mark.parametrize("levels", [2, 3, 5, 256, 65_536])
def test_every_shift_is_a_bijection_of_the_range(levels):
    low = -(levels // 2)
    values = tf.range(low, low + levels, dtype=tf.float32)
    for shift in (0.0, 0.49, 0.5, -0.5, -1.7, 0.6 * levels, -3.3 * levels, 1e6, -3e9, 2.0**100):
        bijector = tb.RoundedShift(tf.constant(shift), levels)
        moved = bijector.forward(values)
        np.testing.assert_array_equal(np.sort(moved), values)
        np.testing.assert_array_equal(bijector.inverse(tf.identity(moved)), values)
        whole = int(np.floor(np.float32(shift) + np.float32(0.5)))
        right = (np.arange(levels) + whole % levels) % levels + low
        np.testing.assert_array_equal(moved, right)
        log_det = bijector.forward_log_det_jacobian(values, event_ndims=0)
        np.testing.assert_array_equal(log_det, np.zeros(levels))


def test_the_gradient_is_that_of_a_shift():
    shift, x = tf.constant([0.2, 1.7, -900.3]), tf.constant([-128.0, 3.0, 127.0])
    with tf.GradientTape() as tape:
        tape.watch([shift, x])
        y = tb.RoundedShift(shift, 256).inverse(x)
    np.testing.assert_array_equal(tape.gradient(y, shift), [-1.0] * 3)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tb.RoundedShift(shift, 256).forward(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0] * 3)


def _stacks():
    """A coupling, an autoregression and couplings of images, each a map of bytes."""
    map = tb.IntegerAdditive(256)
    mask = np.arange(6) % 2 == 0
    vectors = tb.Coupling(mask, map, lambda outputs: networks.MLP(outputs, (8,)))
    autoregressive = tb.MaskedAutoregressive(
        6, map, lambda params: networks.AutoregressiveNetwork(params, 6, (8,))
    )
    channels = tb.ChannelCoupling(
        (4, 4, 4), map, lambda outputs: networks.IntegerConvNet(outputs, width=8), changed=1
    )
    checkerboard = tb.MaskedCoupling(
        tb.checkerboard_mask((4, 4, 4)), map, lambda outputs: networks.ConvNet(outputs, 8)
    )
    return {
        "coupling": (vectors, (6,)),
        "autoregressive": (autoregressive, (6,)),
        "channels": (channels, (4, 4, 4)),
        "checkerboard": (checkerboard, (4, 4, 4)),
    }


@pytest.mark.parametrize("name", ["coupling", "autoregressive", "channels", "checkerboard"])
def test_couplings_and_autoregressions_of_integers_are_exact(name):
    bijector, shape = _stacks()[name]
    shake(bijector, scale=0.3)
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (200, *shape)).astype("float32")
    x[0], x[1] = -128, 127
    y = bijector.forward(tf.constant(x)).numpy()
    assert np.abs(y - x).max() > 0, "the shifts are all zero"
    assert y.min() >= -128 and y.max() <= 127
    np.testing.assert_array_equal(bijector.inverse(tf.constant(y)), x)


def test_the_number_of_levels_is_checked():
    for levels in (1, 2**16 + 1):
        with pytest.raises(ValueError, match=f"levels: expected 2 to 65536, got {levels}"):
            tb.IntegerAdditive(levels)


@pytest.mark.parametrize("changed", [0, 4])
def test_a_coupling_keeps_and_changes_some_channels(changed):
    with pytest.raises(ValueError, match=f"changed: expected 1 to 3 channels, got {changed}"):
        tb.ChannelCoupling((2, 2, 4), tb.Additive(), networks.ConvNet, changed=changed)


@pytest.mark.parametrize("keep_last", [False, True])
def test_a_coupling_changes_as_many_channels_as_it_says(keep_last):
    coupling = tb.ChannelCoupling(
        (2, 2, 8), tb.Additive(), lambda n: networks.ConvNet(n, 4), keep_last, changed=3
    )
    shake(coupling, scale=0.3)
    x = np.random.default_rng(0).normal(size=(2, 2, 2, 8)).astype("float32")
    moved = np.abs(coupling.forward(tf.constant(x)) - x).max((0, 1, 2)) > 0
    np.testing.assert_array_equal(moved, np.arange(8) < 3 if keep_last else np.arange(8) >= 5)
