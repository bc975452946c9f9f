"""Planar, radial, Sylvester, Householder and QR maps: constraints, hard inverses, peers."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.bijectors import ridge
from tfflows.bijectors.householder import reflect
from tfflows.networks import MLP


def _points(size, n=200, dtype="float32", scale=2.0, seed=1):
    return tf.constant(np.random.default_rng(seed).normal(size=(n, size)) * scale, dtype)


def _error(bijector, y, **keywords):
    """Largest error of `forward(inverse(y))`, relative to 1 + |y|."""
    back = bijector.forward(tf.identity(bijector.inverse(y, **keywords)), **keywords)
    return np.max(np.abs(back - y) / (1.0 + np.abs(y)))


@pytest.mark.parametrize("slope", [1e-3, 0.1, 1.0, 10.0, 1e4, 1e8])
@pytest.mark.parametrize("compiled", [False, True])
def test_ridge_is_inverted_to_float_precision(slope, compiled):
    """Within rounding of what float32 can tell apart: t eps / slope at t."""
    t = np.concatenate([np.logspace(-8, 4, 4000), [0.0]])
    t = np.concatenate([t, -t])
    target = t + (slope - 1.0) * np.tanh(t)
    invert = tf.function(ridge.invert_ridge, jit_compile=compiled)
    for dtype, scale in (("float64", 1.0), ("float32", 1.0)):
        rounded = target.astype(dtype)
        found = invert(tf.constant(rounded), tf.constant(slope, dtype)).numpy().astype("float64")
        exact = ridge.invert_ridge(tf.constant(rounded, tf.float64), tf.constant(slope, tf.float64))
        exact = t if dtype == "float64" else exact.numpy()
        derivative = np.tanh(exact) ** 2 + slope / np.cosh(np.minimum(np.abs(exact), 300.0)) ** 2
        size = np.abs(exact) + np.abs(target) + np.abs((slope - 1.0) * np.tanh(exact))
        allowed = 4.0 * scale * np.finfo(dtype).eps * size / derivative + 1e-300
        assert (np.abs(found - exact) <= allowed).all()


def test_ridge_gradients_are_those_of_the_implicit_function():
    target = tf.constant([-3.0, -0.1, 0.0, 0.2, 5.0], tf.float64)
    slope = tf.constant([0.01, 0.5, 1.0, 3.0, 100.0], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([target, slope])
        t = ridge.invert_ridge(target, slope)
    by_target, by_slope = tape.gradient(t, [target, slope])
    derivative = ridge.ridge_derivative(t, slope)
    np.testing.assert_allclose(by_target, 1.0 / derivative, rtol=1e-10)
    np.testing.assert_allclose(by_slope, -tf.tanh(t) / derivative, atol=1e-10)


def _planar(u, w, dtype="float32", b=0.0):
    planar = tb.Planar(len(u), dtype=dtype)
    planar.u.assign(tf.constant(u, dtype))
    planar.w.assign(tf.constant(w, dtype))
    planar.b.assign(tf.constant([b], dtype))
    return planar


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(8))
def test_planar_constraint_under_extreme_parameters(seed, dtype):
    """`w.u > -1`, as far as numbers of the size of |w| |u| can be told apart."""
    rng = np.random.default_rng(seed)
    u, w = rng.choice([-1e3, -1.0, 1e-3, 1e3], size=(2, 3))
    if seed == 0:
        u, w = np.full(3, -1e3), np.full(3, 1e3)
    planar = _planar(u, w, dtype)
    constrained, _, _, slope = (v.numpy().astype("float64") for v in planar._constrained(None))
    product, rounding = constrained @ w, np.finfo(dtype).eps * np.abs(constrained) @ np.abs(w)
    assert slope[0] >= 1e-3 * (1 - 1e-6)
    assert product == pytest.approx(slope[0] - 1.0, abs=8 * rounding + 1e-6 * slope[0])
    assert product >= -1.0 - 8 * rounding
    y = _points(3, dtype=dtype)
    x, log_det = planar.inverse_and_log_det(y)
    assert np.isfinite(x).all() and np.isfinite(log_det).all()
    # A rounding error of w.y is magnified by |u| / slope, which leaves float32 nothing.
    if dtype == "float64":
        assert _error(planar, y) < 1e-8


@pytest.mark.parametrize("push", [-5.0, -20.0, -1e3])
def test_planar_near_its_limit_goes_there_and_back(push):
    """At `w.u` = -0.993 and -0.999: y to its last digits, x to 3e-5 where the map is flattest."""
    planar = _planar([push, 0.3], [1.0, 0.0])
    assert float(planar._constrained(None)[3][0]) < 0.02
    y = _points(2, 2000)
    assert _error(planar, y) < 1e-6
    x = _points(2, 2000) * np.logspace(-6, 1, 2000)[:, np.newaxis].astype("float32")
    back = planar.inverse(tf.identity(planar.forward(x)))
    np.testing.assert_allclose(back, x, atol=3e-5)
    exact = _planar([push, 0.3], [1.0, 0.0], "float64")
    np.testing.assert_allclose(
        exact.inverse(tf.identity(exact.forward(tf.cast(x, tf.float64)))), x, atol=1e-12
    )


def test_planar_is_the_identity_as_w_vanishes():
    for w in ([0.0, 0.0], [1e-20, -1e-20]):
        planar, x = _planar([3.0, -2.0], w), _points(2)
        y, log_det = planar.forward_and_log_det(x)
        np.testing.assert_allclose(y, x, atol=1e-6)
        np.testing.assert_allclose(log_det, np.zeros(len(x)), atol=1e-6)


def test_planar_parameters_of_a_network():
    """A row has the map of its own context."""
    planar = tb.Planar(3, (2,), lambda outputs: MLP(outputs, (4,)), seed=4)
    rng = np.random.default_rng(0)
    for variable in planar.network.variables:
        variable.assign(rng.normal(size=variable.shape))
    context, x = tf.constant([[0.5, -1.0], [2.0, 0.3]]), _points(3, 2)
    y = planar.forward(x, context=context)
    raw = planar.network(context).numpy()
    for row in range(2):
        alone = _planar(raw[row, :3], planar.w.numpy() + raw[row, 3:6], b=raw[row, 6])
        np.testing.assert_allclose(alone.forward(x[row]), y[row], atol=1e-5)


def test_radial_under_extreme_parameters():
    points = np.concatenate([_points(3), _points(3, scale=1e4), np.zeros([1, 3])])
    for raw_beta, log_alpha in itertools.product((-1e3, -5.0, 1e3), (-10.0, 0.0, 7.0)):
        for dtype, tolerance in (("float64", 1e-12), ("float32", 2e-4)):
            radial, y = tb.Radial(3, dtype=dtype), tf.constant(points, dtype)
            radial.raw_beta.assign([raw_beta])
            radial.log_alpha.assign([log_alpha])
            assert _error(radial, y) < tolerance, (raw_beta, log_alpha)
            at_centre, log_det = radial.inverse_and_log_det(radial.centre[tf.newaxis])
            np.testing.assert_array_equal(at_centre[0], radial.centre)
            assert np.isfinite(log_det).all()


@pytest.mark.parametrize("form", ["orthogonal", "householder", "triangular"])
def test_sylvester_is_inverted_at_its_limits(form):
    """Diagonals of -1 and 1 in all digits of their tanh, and large numbers beside them."""
    size = 6
    sylvester, rng = tb.Sylvester(size, form=form), np.random.default_rng(2)
    sylvester.r_diagonal.assign(rng.choice([-40.0, 40.0], size))
    sylvester.s_diagonal.assign(rng.choice([-40.0, 40.0], size))
    for variable in (sylvester.r_above, sylvester.s_above):
        variable.assign(rng.normal(size=variable.shape))
    slopes = sylvester._triangular()[2].numpy()
    assert slopes.min() == pytest.approx(1e-3, rel=1e-3) and slopes.max() > 1.9
    assert _error(sylvester, _points(size)) < 2e-5


@pytest.mark.parametrize("form", ["orthogonal", "householder", "triangular"])
def test_sylvester_orthonormal_columns(form):
    columns = 3 if form == "orthogonal" else None
    q = tb.Sylvester(7, columns, form, dtype=tf.float64, seed=3)._orthonormal()
    np.testing.assert_allclose(tf.transpose(q) @ q, np.eye(q.shape[1]), atol=1e-14)
    assert q.shape == (7, columns or 7)


def test_sylvester_of_one_column_is_planar():
    """`u = q r` and `w = s q`: what both constraints allow."""
    sylvester = tb.Sylvester(4, 1, dtype=tf.float64)
    sylvester.r_diagonal.assign([0.7])
    sylvester.bias.assign([0.4])
    q, (r, s, slope) = sylvester._orthonormal()[:, 0], sylvester._triangular()
    w = q * s[0, 0]
    # Planar's own u, before its constraint, that gives q r.
    raw = np.log(np.expm1((slope[0] - 1e-3) / (1 - 1e-3))) - np.log(np.e - 1)
    planar = _planar(q * raw / s[0, 0], w, "float64", b=0.4)
    x = _points(4, dtype="float64")
    for a, b in zip(planar.forward_and_log_det(x), sylvester.forward_and_log_det(x), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    assert float(r[0, 0]) > 0.6


def test_reflections_one_by_one():
    vectors = np.random.default_rng(0).normal(size=(4, 6))
    vectors[1] = 0.0  # no reflection at all
    vectors[2] *= 1e-200  # and one that no square can hold
    product = np.eye(6)
    for v in vectors:
        v = v / max(np.abs(v).max(), 1e-300)
        product = product @ (np.eye(6) - 2 * np.outer(v, v) / max(v @ v, 1e-300))
    x = _points(6, dtype="float64")
    np.testing.assert_allclose(reflect(tf.constant(vectors), x), x @ product.T, atol=1e-13)
    back = reflect(tf.constant(vectors), tf.constant(x @ product.T), transpose=True)
    np.testing.assert_allclose(back, x, atol=1e-13)


def test_reflection_of_a_zero_vector_has_gradients():
    vectors, x = tf.Variable(tf.zeros([2, 3])), _points(3)
    with tf.GradientTape() as tape:
        y = reflect(tf.convert_to_tensor(vectors), x)
        loss = tf.reduce_sum(tf.square(y))
    np.testing.assert_array_equal(y, x)
    assert np.isfinite(tape.gradient(loss, vectors)).all()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_qr_starts_as_the_identity_and_reaches_any_matrix(size):
    linear, x = tb.QRLinear(size, dtype=tf.float64), _points(size, dtype="float64")
    np.testing.assert_allclose(linear.inverse(x), x, atol=1e-13)
    # As Q, every reflection of its own, and R are found from a matrix by its QR factors.
    rng = np.random.default_rng(0)
    linear.vectors.assign(rng.normal(size=linear.vectors.shape))
    linear.upper.assign(rng.normal(size=linear.upper.shape))
    linear.log_diagonal.assign(rng.normal(size=size))
    matrix = linear.inverse(tf.eye(size, dtype=tf.float64)).numpy().T
    q, r = np.linalg.qr(matrix)
    np.testing.assert_allclose(np.abs(np.diag(r)), np.exp(linear.log_diagonal), rtol=1e-10)
    np.testing.assert_allclose(
        linear.inverse_log_det_jacobian(tf.identity(x), 1), np.linalg.slogdet(matrix)[1], atol=1e-12
    )
    assert np.linalg.slogdet(matrix)[0] == 1.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: tb.Planar(0), "size: expected at least 1, got 0"),
        (lambda: tb.Planar(2, network=MLP(5)), "network: expected None without a context_shape"),
        (lambda: tb.Planar(2, (2, 3)), r"context_shape: expected one size, got \(2, 3\)"),
        (lambda: tb.Planar(2, (3,), MLP(4)), r"network: planar expects a map from \[batch, 3\] to"),
        (lambda: tb.Radial(0), "size: expected at least 1, got 0"),
        (lambda: tb.Householder(2, 0), "reflections: expected at least 1, got 0"),
        (lambda: tb.QRLinear(0), "size: expected at least 1, got 0"),
        (lambda: tb.QRLinear(3, 3), "reflections: expected an even number, got 3"),
        (lambda: tb.Sylvester(3, form="full"), "form: expected orthogonal, householder or tri"),
        (lambda: tb.Sylvester(3, 4), "columns: expected 1 to 3, got 4"),
        (lambda: tb.Sylvester(3, 2, "triangular"), "columns: expected none for the triangular"),
        (lambda: tb.Sylvester(3, reverse=True), "reverse: expected none for the orthogonal form"),
        (lambda: tb.Sylvester(3, reflections=2), "reflections: expected none for the orthogonal"),
        (lambda: tb.Planar(3).forward(tf.zeros([2, 4])), "event: planar expects vectors of len"),
    ],
)
def test_bad_arguments(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_planar_and_radial_of_normflows():
    torch = pytest.importorskip("torch")
    peers = pytest.importorskip("normflows.flows")
    rng, size = np.random.default_rng(0), 4
    x = _points(size, dtype="float64")
    u, w, b = rng.normal(size=size), rng.normal(size=size), rng.normal()
    peer = peers.Planar(
        (size,), u=torch.tensor(u[None]), w=torch.tensor(w[None]), b=torch.tensor([b])
    )
    # Ours shifts the softplus, and bounds it: the same constrained u from another raw one.
    slope = (np.logaddexp(0.0, u @ w) - 1e-3) / (1.0 - 1e-3)
    inner = np.log(np.expm1(slope)) - np.log(np.e - 1.0)
    planar = _planar(u + (inner - u @ w) * w / (w @ w), w, "float64", b)
    radial = tb.Radial(size, dtype=tf.float64)
    radial.log_alpha.assign([0.3])
    radial.raw_beta.assign([0.8])
    alpha, slope = (v.numpy()[0] for v in radial._constrained())
    other = peers.Radial((size,), z_0=torch.tensor(radial.centre.numpy()[None]))
    other.alpha.data = torch.tensor([alpha])
    other.beta.data = torch.tensor([np.log(np.expm1(alpha * slope))])
    for ours, theirs in ((planar, peer), (radial, other)):
        y, log_det = ours.forward_and_log_det(x)
        expected = theirs(torch.tensor(x.numpy()))
        np.testing.assert_allclose(y, expected[0].detach().numpy(), rtol=1e-5)
        np.testing.assert_allclose(log_det, expected[1].detach().numpy(), atol=1e-9)
