"""Elementwise maps on hard input: knots, ends, empty bins, saturated parameters, far tails."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tests.marks import some
from tfflows import Flow
from tfflows import bijectors as tb
from tfflows.bijectors.spline import cumulative, ends_of_bin

BOUND = 3.0
SPLINES = {
    "linear": tb.LinearSpline,
    "quadratic": tb.QuadraticSpline,
    "cubic": tb.CubicSpline,
    "rational_quadratic": tb.RationalQuadraticSpline,
}
MAPS = {name: spline(6, BOUND) for name, spline in SPLINES.items()} | {
    "deep_sigmoidal": tb.DeepSigmoidal(4, 2),
    "sum_of_squares": tb.SumOfSquares(3, 2, BOUND),
    "monotonic_integral": tb.MonotonicIntegral(4, (8,), 8, BOUND),
}
BOUNDED = {name: spline(6, tails="bounded") for name, spline in SPLINES.items()}
RAW = {
    "zeros": lambda shape, rng: np.zeros(shape),
    "random": lambda shape, rng: rng.normal(size=shape),
    "saturated": lambda shape, rng: rng.choice([-1e4, 0.0, 1e4], shape),
    "one bin takes all": lambda shape, rng: 1e4 * np.eye(shape[1])[rng.permutation(shape[1])[:6]],
}


def _raw(map, kind, dtype="float32"):
    return tf.constant(RAW[kind]((6, map.parameters), np.random.default_rng(0)), dtype)


def _shaken(map):
    """The integrand of a new map is 1 whatever its parameters."""
    for i, variable in enumerate(getattr(map, "variables", ())):
        noise = np.random.default_rng(i).normal(size=variable.shape)
        variable.assign(tf.constant(0.5 * noise, variable.dtype))
    return map


for _map in MAPS.values():
    _shaken(_map)


def _beside(values):
    """Float32 values, each with both of its neighbours, in order."""
    values = np.asarray(values, np.float32)
    inf = np.float32(math.inf)
    return np.unique([values, np.nextafter(values, inf), np.nextafter(values, -inf)])


def _points(bijector, raw, unit=False):
    """Hard data: knots, ends and their neighbours, a grid, and (not in the unit interval) tails."""
    low, high = (0.0, 1.0) if unit else (-BOUND, BOUND)
    knots = np.linspace(low, high, 7)
    points = [_beside([low, high]), np.linspace(low, high, 200, dtype=np.float32), _beside(knots)]
    for of in ("data_knots", "latent_knots"):
        points.append(_beside(np.ravel(getattr(bijector, of, []))))
    if not unit:
        far = np.float32([5.0, 50.0, 1e4, 1e10, 1e20, 1e30])
        points += [far, -far, np.float32([1e-30, -1e-30])]
    points = np.sort(np.concatenate(points))
    return points[(points >= low) & (points <= high)] if unit else points


def _check(map, raw, unit=False):
    bijector = map(raw[:, tf.newaxis])
    y = tf.constant(_points(bijector, raw, unit))
    for joint in (bijector.inverse_and_log_det, bijector.forward_and_log_det):
        with tf.GradientTape() as tape:
            tape.watch([raw, y])
            bijector = map(raw[:, tf.newaxis])
            joint = getattr(bijector, joint.__name__)
            value, log_det = joint(y)
            total = tf.reduce_sum(log_det) + tf.reduce_sum(value * 1e-6)
        value = value.numpy()
        assert np.isfinite(value).all() and np.isfinite(log_det).all()
        # As many digits as a float32 holds at the largest of the values around.
        slack = 4e-6 * np.maximum(np.abs(value[:, 1:]), np.abs(value[:, :-1])) + 4e-6
        assert (np.diff(value) >= -slack).all()
        for gradient in tape.gradient(total, [raw, y]):
            assert np.isfinite(gradient).all()
    return bijector, y


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("name", MAPS)
def test_hard_input_gives_finite_increasing_values(name, kind):
    bijector, y = _check(MAPS[name], _raw(MAPS[name], kind))
    if name in SPLINES:
        outside = np.abs(y) > BOUND
        for joint in (bijector.inverse_and_log_det, bijector.forward_and_log_det):
            value, log_det = joint(y)
            np.testing.assert_array_equal(
                value.numpy()[:, outside], y.numpy()[None, outside][[0] * 6]
            )
            assert not log_det.numpy()[:, outside].any()


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("name", BOUNDED)
def test_bounded_splines_take_the_unit_interval_onto_itself(name, kind):
    bijector, _ = _check(BOUNDED[name], _raw(BOUNDED[name], kind), unit=True)
    ends, beside = tf.constant([0.0, 1.0]), tf.constant([-1e-7, 1.0 + 2e-7, -1e30, 1e30, math.nan])
    for joint in (bijector.inverse_and_log_det, bijector.forward_and_log_det):
        np.testing.assert_allclose(joint(ends)[0], [[0.0, 1.0]] * 6, atol=3e-5)
    for result in bijector.forward_and_log_det(beside):
        assert np.isnan(result).all()
    # Data beyond the interval have a density of 0; NaN is NaN.
    x, log_det = (result.numpy() for result in bijector.inverse_and_log_det(beside))
    assert np.isfinite(x[:, :4]).all() and np.isneginf(log_det[:, :4]).all()
    assert np.isnan(x[:, 4]).all() and np.isnan(log_det[:, 4]).all()


@pytest.mark.parametrize("name", [*MAPS, *BOUNDED])
def test_round_trips_in_float32(name):
    for map, low, high in ((MAPS[name], -4.0, 4.0), (BOUNDED.get(name), 0.0, 1.0)):
        if map is None:
            continue
        bijector = map(_raw(map, "random")[:, tf.newaxis])
        y = tf.constant(np.linspace(low, high, 300), tf.float32)
        x, log_det = bijector.inverse_and_log_det(y)
        again, back = bijector.forward_and_log_det(x)
        np.testing.assert_allclose(again, np.tile(y, [6, 1]), atol=2e-4)
        np.testing.assert_allclose(back, -log_det, atol=5e-3)


@pytest.mark.parametrize("name", MAPS)
def test_zeros_are_near_the_identity(name):
    map = MAPS[name]
    if name == "monotonic_integral":
        map = tb.MonotonicIntegral(4, (8,), 8, BOUND)
    y = tf.constant(np.linspace(-4, 4, 81), tf.float64)
    x, log_det = map(tf.zeros([map.parameters], tf.float64)).inverse_and_log_det(y)
    tolerance = {"deep_sigmoidal": 0.5, "sum_of_squares": 0.3, "monotonic_integral": 5e-3}
    np.testing.assert_allclose(x, y, atol=tolerance.get(name, 1e-6))
    np.testing.assert_allclose(log_det, np.zeros(81), atol=tolerance.get(name, 1e-6))


@pytest.mark.parametrize("base", ["uniform", "beta(2,3)"])
@pytest.mark.parametrize("name", some(BOUNDED, ["rational_quadratic"]))
def test_a_bounded_spline_is_a_density_on_the_unit_interval(name, base):
    elementwise = tb.Elementwise(BOUNDED[name], 1)
    elementwise.raw.assign(_raw(BOUNDED[name], "random")[:1])
    flow = Flow(elementwise, [1], base=base)
    grid = (np.arange(20_000) + 0.5) / 20_000
    assert np.exp(flow.log_prob(grid[:, np.newaxis])).mean() == pytest.approx(1.0, abs=1e-4)
    assert np.isneginf(flow.log_prob([[-0.01], [1.01], [7.0]])).all()
    x = flow.sample(500, seed=1).numpy()
    assert x.min() >= 0.0 and x.max() <= 1.0


def test_densities_of_quadratic_splines_are_continuous_at_the_tails():
    bijector = tb.QuadraticSpline(6, BOUND)(_raw(tb.QuadraticSpline(6, BOUND), "random", "float64"))
    _, log_det = bijector.inverse_and_log_det(tf.constant([[-BOUND], [BOUND]], tf.float64))
    np.testing.assert_allclose(log_det, np.zeros([2, 6]), atol=1e-12)


@pytest.mark.parametrize("name", ["deep_sigmoidal", "sum_of_squares", "monotonic_integral"])
def test_tails_are_straight_lines(name):
    raw = _raw(MAPS[name], "random", "float64")[:, tf.newaxis]
    x, log_det = MAPS[name](raw).inverse_and_log_det(tf.constant([1e5, 2e5], tf.float64))
    slope = np.diff(x)[:, 0] / 1e5
    np.testing.assert_allclose(np.log(slope), log_det[:, 0], atol=1e-3)
    np.testing.assert_allclose(log_det[:, 0], log_det[:, 1], atol=1e-3)


def test_deep_sigmoidal_by_its_formula():
    map, y = tb.DeepSigmoidal(4, 2, bound=4.0, spread=1.0), np.linspace(-3.0, 3.0, 31)
    raw = np.random.default_rng(3).normal(size=map.parameters)
    x = y
    for logits, slopes, shifts in raw.reshape(2, 3, 4):
        weights, a = np.exp(logits) / np.exp(logits).sum(), np.exp(4.0 * np.tanh(slopes / 4.0))
        shifts = shifts + np.linspace(-1.0, 1.0, 4)
        share = (weights / (1.0 + np.exp(-(x[:, np.newaxis] * a + shifts)))).sum(-1)
        x = np.log(share / (1.0 - share))
    got, log_det = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(got, x, atol=1e-9)
    np.testing.assert_allclose(log_det, np.log(np.gradient(x, y)), atol=0.05)


def test_sum_of_squares_by_quadrature():
    map = tb.SumOfSquares(3, 2, BOUND)
    raw = np.random.default_rng(0).normal(size=map.parameters)
    start = np.array([[1.0, -0.25, 0.0, 0.0], [1.0, 0.25, 0.0, 0.0]])
    coefficients = 10.0 * np.tanh(raw[:-1].reshape(2, 4) / 10.0) + start
    nodes, weights = np.polynomial.legendre.leggauss(20)
    y = np.linspace(-BOUND, BOUND, 9)

    def density(u):
        return 1e-3 + np.mean([np.polyval(c[::-1], u / BOUND) ** 2 for c in coefficients], axis=0)

    integral = [raw[-1] + (density(0.5 * b * (nodes + 1)) * weights).sum() * 0.5 * b for b in y]
    x, log_det = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(x, integral, atol=1e-9)
    np.testing.assert_allclose(log_det, np.log(density(y)), atol=1e-9)


def _integrand(map, h, u):
    """The network itself, in float64."""
    value = np.concatenate([u[:, np.newaxis], np.tile(h, [u.size, 1])], axis=1)
    for i, (kernel, bias) in enumerate(zip(map.kernels, map.biases, strict=True)):
        value = value @ kernel.numpy() + bias.numpy()
        value = np.tanh(value) if i + 1 < len(map.kernels) else value[:, 0]
    return np.exp(map.max_log_slope * np.tanh(value / map.max_log_slope)) + map.min_slope


@pytest.mark.parametrize(("nodes", "tolerance"), [(12, 3e-2), (24, 5e-4), (48, 1e-6)])
def test_monotonic_integral_converges_to_the_networks_own(nodes, tolerance):
    map = _shaken(tb.MonotonicIntegral(4, (16, 16), nodes, BOUND, dtype=tf.float64))
    raw = np.random.default_rng(0).normal(size=map.parameters)
    y = np.linspace(-BOUND, BOUND, 41)
    points, weights = np.polynomial.legendre.leggauss(200)
    expected = [
        (_integrand(map, raw[:-1], 0.5 * b * (points + 1)) * weights).sum() * 0.5 * b for b in y
    ]
    x, log_det = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(x - raw[-1], expected, atol=tolerance)
    density = _integrand(map, raw[:-1], y)
    np.testing.assert_allclose(log_det, np.log(density), atol=3 * tolerance)


def test_monotonic_integral_is_a_density_however_rough_its_network():
    """Five nodes for a network that oscillates between them: a rough map, but a map."""
    map = tb.MonotonicIntegral(4, (16, 16), 5, BOUND)
    for i, variable in enumerate(map.variables):
        noise = np.random.default_rng(i).normal(size=variable.shape)
        variable.assign(tf.constant(3.0 * noise, tf.float32))
    elementwise = tb.Elementwise(map, 1)
    elementwise.raw.assign(tf.random.stateless_normal([1, map.parameters], [0, 1]))
    flow = Flow(elementwise, [1])
    assert len(flow.trainable_variables) == 7
    grid = np.linspace(-200.0, 200.0, 400_001)
    density = np.exp(flow.log_prob(grid[:, np.newaxis]).numpy().astype("float64"))
    assert density.sum() * 1e-3 == pytest.approx(1.0, abs=1e-3)


def test_cumulative_shares_end_at_exactly_one():
    shares = tf.nn.softmax(tf.random.stateless_normal([50, 9], [0, 1]))
    sums = cumulative(shares).numpy()
    assert (sums[:, 0] == 0.0).all() and (sums[:, -1] == 1.0).all()
    np.testing.assert_allclose(sums[:, 1:], np.cumsum(shares, -1), atol=1e-6)


@pytest.mark.parametrize("shape", [[4, 3, 6], [3, 6], [6]])
def test_ends_of_a_bin_and_their_gradients(shape):
    values = tf.random.stateless_normal(shape, [0, 1])
    index = tf.random.stateless_uniform([4, 3], [0, 2], 0, 5, tf.int32)
    weight = tf.random.stateless_normal([2, 4, 3], [0, 3])
    one_hot = [tf.one_hot(index + i, 6) for i in (0, 1)]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(values)
        ends = ends_of_bin(values, index)
        expected = [tf.reduce_sum(hot * values, -1) for hot in one_hot]
        total, wanted = (tf.reduce_sum(weight * tf.stack(v)) for v in (ends, expected))
    np.testing.assert_allclose(ends, expected, atol=1e-6)
    got, gradient = tape.gradient(total, values), tape.gradient(wanted, values)
    np.testing.assert_allclose(got, gradient, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: tb.LinearSpline(1), "bins: expected at least 2, got 1"),
        (lambda: tb.QuadraticSpline(bound=0), "bound: expected a positive number, got 0"),
        (lambda: tb.CubicSpline(min_bin=0), "min_bin: expected a positive number, got 0"),
        (
            lambda: tb.CubicSpline(2000),
            "bins: expected fewer than 1 / min_bin, got 2000 with a min_bin of 0.001",
        ),
        (lambda: tb.LinearSpline(tails="linear"), "tails: expected identity or bounded, got 'line"),
        (lambda: tb.CubicSpline(min_slope=0.5), "min_slope: expected a number between 0 and 1/3"),
        (lambda: tb.RationalQuadraticSpline(min_slope=1), "min_slope: expected a number between"),
        (lambda: tb.DeepSigmoidal(0), "units: expected at least 1, got 0"),
        (lambda: tb.DeepSigmoidal(layers=0), "layers: expected at least 1, got 0"),
        (lambda: tb.DeepSigmoidal(bound=-1), "bound: expected a positive number, got -1"),
        (lambda: tb.DeepSigmoidal(spread=-1), "spread: expected a number of at least 0, got -1"),
        (lambda: tb.SumOfSquares(0), "degree: expected at least 1, got 0"),
        (lambda: tb.SumOfSquares(terms=0), "terms: expected at least 1, got 0"),
        (lambda: tb.MixtureCDF(bound=0), "bound: expected a positive number, got 0"),
        (lambda: tb.LogisticMixtureAffine(bound=0), "bound: expected a positive number, got 0"),
        (lambda: tb.SumOfSquares(bound=0), "bound: expected a positive number, got 0"),
        (lambda: tb.SumOfSquares(min_slope=0), "min_slope: expected a number between 0 and 1"),
        (lambda: tb.SumOfSquares(max_coefficient=0), "max_coefficient: expected a positive"),
        (lambda: tb.MonotonicIntegral(0), "embedding: expected at least 1, got 0"),
        (lambda: tb.MonotonicIntegral(hidden_units=()), "hidden_units: expected positive sizes"),
        (lambda: tb.MonotonicIntegral(nodes=2), "nodes: expected at least 3, got 2"),
        (lambda: tb.MonotonicIntegral(bound=0), "bound: expected a positive number, got 0"),
        (lambda: tb.MonotonicIntegral(max_log_slope=0), "max_log_slope: expected a positive"),
        (lambda: tb.MonotonicIntegral(min_slope=2), "min_slope: expected a number between 0 and 1"),
    ],
)
def test_errors_name_the_argument(build, message):
    with pytest.raises(ValueError, match=message):
        build()
