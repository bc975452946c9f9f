import numpy as np
import pytest
import tensorflow as tf

from tfflows.data import targets


def rule(edge=8.0, panels=32, order=16):
    nodes, weights = np.polynomial.legendre.leggauss(order)
    edges = np.linspace(-edge, edge, panels + 1)
    half = np.diff(edges)[:, None] / 2
    middle = (edges[1:] + edges[:-1])[:, None] / 2
    return (middle + half * nodes).ravel(), (half * weights).ravel()


@pytest.mark.parametrize("name", targets.names())
def test_log_normalizer_by_quadrature(name):
    target = targets.get(name)
    ticks, weights = rule()
    z = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
    mass = np.exp(target(tf.constant(z)).numpy()) @ np.outer(weights, weights).ravel()
    assert np.log(mass) == pytest.approx(target.log_normalizer, abs=1e-6)


@pytest.mark.parametrize("name", targets.names())
def test_shape_dtype_and_gradient(name):
    target = targets.get(name)
    z = tf.constant([[0.0, 0.0], [1.0, -2.0], [100.0, 100.0], [2.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = target(z)
    assert value.shape == (4,) and value.dtype == tf.float32
    assert np.isfinite(value).all() and np.isfinite(tape.gradient(value, z)).all()
    traced = tf.function(target, jit_compile=True)(z)
    np.testing.assert_allclose(traced, value, rtol=1e-4, atol=1e-4)


def test_first_potential_in_numpy():
    z = np.random.default_rng(0).uniform(-4, 4, (100, 2))
    ring = 0.5 * ((np.linalg.norm(z, axis=1) - 2) / 0.4) ** 2
    sides = np.exp(-0.5 * ((z[:, 0] - 2) / 0.6) ** 2) + np.exp(-0.5 * ((z[:, 0] + 2) / 0.6) ** 2)
    expected = np.log(sides) - ring
    np.testing.assert_allclose(targets.get("u1")(tf.constant(z)), expected, atol=1e-9)


def test_fourth_potential_in_numpy():
    z = np.random.default_rng(0).uniform(-4, 4, (100, 2))
    wave = z[:, 1] - np.sin(2 * np.pi * z[:, 0] / 4)
    step = 3 / (1 + np.exp(-(z[:, 0] - 1) / 0.3))
    first = np.exp(-0.5 * (wave / 0.4) ** 2)
    second = np.exp(-0.5 * ((wave + step) / 0.35) ** 2)
    expected = np.log(first + second)
    np.testing.assert_allclose(targets.get("u4")(tf.constant(z)), expected, atol=1e-9)


def test_unknown_name():
    with pytest.raises(ValueError, match="name: expected one of u1, u2, u3, u4, got 'u5'"):
        targets.get("u5")
