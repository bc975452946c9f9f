"""The same numbers as other libraries' maps, where they are installed (extra `bench`)."""

import numpy as np
import pytest
import tensorflow as tf

from tfflows import bijectors as tb


def test_rational_quadratic_spline_of_nflows():
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("nflows.transforms.splines.rational_quadratic")
    rng = np.random.default_rng(0)
    raw, y = rng.normal(size=(6, 5, 23)), rng.normal(size=(6, 5)) * 2.5
    spline = tb.RationalQuadraticSpline(bins=8, bound=3.0)(tf.constant(raw))
    # Ours are shifted, so that zero is a slope of 1.
    shift = np.concatenate([np.zeros(16), np.full(7, np.log(np.expm1(1 - 1e-3)))])
    widths, heights, slopes = (
        torch.tensor(part) for part in np.split(raw + shift, [8, 16], axis=-1)
    )
    for inverse, joint in ((False, spline.forward_and_log_det), (True, spline.inverse_and_log_det)):
        value, log_det = peer.unconstrained_rational_quadratic_spline(
            torch.tensor(y),
            widths,
            heights,
            slopes,
            inverse=inverse,
            tails="linear",
            tail_bound=3.0,
            min_bin_width=1e-3,
            min_bin_height=1e-3,
            min_derivative=1e-3,
        )
        ours = joint(tf.constant(y))
        np.testing.assert_allclose(ours[0], value.numpy(), atol=1e-6)
        np.testing.assert_allclose(ours[1], log_det.numpy(), atol=1e-5)


def _same_as_nflows(map, raw, peer, arguments, y):
    """Ours from data to latents is their forward direction."""
    torch = pytest.importorskip("torch")
    arguments = [torch.tensor(a) for a in arguments]
    ours = map(tf.constant(raw))
    for inverse, joint in ((False, ours.inverse_and_log_det), (True, ours.forward_and_log_det)):
        value, log_det = peer(torch.tensor(y), *arguments, inverse=inverse)
        got = joint(tf.constant(y))
        # They move the last knot by 1e-6.
        np.testing.assert_allclose(got[0], value.numpy(), atol=1e-5)
        np.testing.assert_allclose(got[1], log_det.numpy(), atol=3e-5)


def test_linear_spline_of_nflows():
    peer = pytest.importorskip("nflows.transforms.splines.linear").linear_spline
    rng = np.random.default_rng(0)
    raw, y = rng.normal(size=(6, 5, 8)), rng.uniform(size=(6, 5))
    map = tb.LinearSpline(8, min_bin=1e-12, tails="bounded")
    _same_as_nflows(map, raw, peer, [raw], y)


def test_quadratic_spline_of_nflows():
    peer = pytest.importorskip("nflows.transforms.splines.quadratic").quadratic_spline
    rng = np.random.default_rng(0)
    raw, y = rng.normal(size=(6, 5, 17)), rng.uniform(size=(6, 5))
    # Ours: softplus above 1e-3, shifted so that zero is a density of 1.
    shift = np.log(np.expm1(1 - 1e-3)) * (np.arange(17) >= 8)
    widths, heights = np.split(raw + shift, [8], axis=-1)
    map = tb.QuadraticSpline(8, tails="bounded")
    _same_as_nflows(map, raw, peer, [widths, heights], y)


def test_cubic_spline_of_nflows():
    peer = pytest.importorskip("nflows.transforms.splines.cubic").cubic_spline
    rng = np.random.default_rng(0)
    raw, y = rng.normal(size=(6, 5, 18)), rng.uniform(size=(6, 5))
    # Ours are shifted, so that zero is the slope of the bin: a third of the largest.
    widths, heights, left, right = np.split(
        raw - np.log(2) * (np.arange(18) >= 16), [8, 16, 17], -1
    )
    map = tb.CubicSpline(8, min_slope=1e-12, tails="bounded")
    _same_as_nflows(map, raw, peer, [widths, heights, left, right], y)


def test_sum_of_squares_of_zuko():
    torch = pytest.importorskip("torch")
    transforms = pytest.importorskip("zuko.transforms")
    map = tb.SumOfSquares(degree=3, terms=2, bound=4.0)
    rng = np.random.default_rng(0)
    raw, y = rng.normal(size=(6, 9)), rng.uniform(-4.0, 4.0, size=6)
    coefficients = 10.0 * np.tanh(raw[:, :-1].reshape(6, 2, 4) / 10.0)
    coefficients[..., 1] += [-0.25, 0.25]  # where ours start; a constant 1 is theirs too
    peer = transforms.SOSPolynomialTransform(torch.tensor(coefficients), bound=4.0)
    value, log_det = peer.call_and_ladj(torch.tensor(y))
    x, ours = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(x - raw[:, -1], value.numpy(), atol=1e-6)
    np.testing.assert_allclose(ours, log_det.numpy(), atol=1e-6)


def test_monotonic_integral_of_zuko():
    torch = pytest.importorskip("torch")
    transforms = pytest.importorskip("zuko.transforms")
    map = tb.MonotonicIntegral(embedding=2, hidden_units=(8,), nodes=64, dtype=tf.float64)
    rng = np.random.default_rng(0)
    for variable in map.variables:
        variable.assign(0.7 * rng.normal(size=variable.shape))
    raw, y = rng.normal(size=3), rng.uniform(-4.0, 4.0, size=20)
    kernels, biases = ([torch.tensor(v.numpy()) for v in vs] for vs in (map.kernels, map.biases))

    def integrand(u):
        h = torch.tensor(raw[:-1]).expand(*u.shape, 2)
        hidden = torch.tanh(torch.cat([u[..., None], h], -1) @ kernels[0] + biases[0])
        log_slope = (hidden @ kernels[1] + biases[1])[..., 0]
        return torch.exp(5.0 * torch.tanh(log_slope / 5.0)) + 1e-3

    peer = transforms.UnconstrainedMonotonicTransform(integrand, n=64)
    value, log_det = peer.call_and_ladj(torch.tensor(y))
    x, ours = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(x - raw[-1], value.numpy(), atol=1e-6)
    np.testing.assert_allclose(ours, log_det.numpy(), atol=1e-6)
