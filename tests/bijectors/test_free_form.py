"""Residual maps and continuous flows: contractions, solvers, estimators without bias."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests.bijectors.free_form_maps import continuous_map, residual_map, rows
from tests.estimators import ESTIMATORS_BROKEN, mean_of_draws
from tests.marks import some
from tfflows import bijectors as tb
from tfflows import networks
from tfflows.bijectors import ode, residual
from tfflows.networks.lipschitz import spectral_norm_bound
from tfflows.random import training_noise


def jacobian(function, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = function(x)
    return tape.batch_jacobian(y, x, experimental_use_pfor=False).numpy()


# Networks.


@pytest.mark.parametrize("shape", [(1, 1), (3, 128), (64, 5), (128, 128)])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_bound_of_the_spectral_norm(shape, scale):
    matrix = tf.constant(scale * np.random.default_rng(0).normal(size=shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(matrix)
        bound = spectral_norm_bound(matrix)
    u, s, vt = np.linalg.svd(matrix.numpy().astype(np.float64), full_matrices=False)
    assert s[0] * (1 - 1e-5) <= bound.numpy() <= 1.02 * s[0]
    order = 256  # that of the Schatten norm, whose gradient is known
    s /= s[0]
    expected = u @ np.diag(s ** (order - 1) / np.sum(s**order) ** (1 - 1 / order)) @ vt
    np.testing.assert_allclose(tape.gradient(bound, matrix), expected, atol=1e-5)


def test_bound_of_equal_singular_values_and_of_zero():
    orthogonal = np.linalg.qr(np.random.default_rng(0).normal(size=(128, 128)))[0]
    assert 1.0 <= spectral_norm_bound(tf.constant(orthogonal)).numpy() < 1.02
    zero = tf.zeros([4, 3])
    with tf.GradientTape() as tape:
        tape.watch(zero)
        bound = spectral_norm_bound(zero)
    assert bound.numpy() < 1e-6 and np.isfinite(tape.gradient(bound, zero)).all()


@pytest.mark.parametrize("context", [None, 3])
@pytest.mark.parametrize("network", [networks.LipschitzMLP, networks.ConcatSquashMLP])
def test_linearization_is_the_jacobian(network, context):
    layer = network(5, (8, 6), dtype="float64")
    x = rows(4, 5, dtype="float64")
    keywords = {} if context is None else {"context": rows(4, context, 1, "float64")}
    assert not layer(x, **keywords).numpy().any()
    for variable in layer.variables:
        variable.assign_add(np.random.default_rng(2).normal(size=variable.shape))
    if network is networks.ConcatSquashMLP:
        keywords["time"] = tf.constant(0.3, tf.float64)
        value, linear = layer.linearize(x, **keywords)
    else:
        value, linear = layer.at(**keywords).linearize(x)
    expected = jacobian(lambda x: layer(x, **keywords), x)
    np.testing.assert_allclose(value, layer(x, **keywords), atol=1e-12)
    np.testing.assert_allclose(linear.matrix(), expected.transpose(0, 2, 1), atol=1e-12)
    np.testing.assert_allclose(linear.trace(), np.trace(expected, axis1=1, axis2=2), atol=1e-12)
    v = rows(4, 5, 3, "float64")
    np.testing.assert_allclose(linear.times(v), np.einsum("bij,bj->bi", expected, v), atol=1e-12)
    several = tf.stack([v, -2 * v], axis=1)
    np.testing.assert_allclose(
        linear.transposed_times(several), np.einsum("bij,bni->bnj", expected, several), atol=1e-12
    )


@pytest.mark.parametrize("network", [networks.LipschitzMLP, networks.ConcatSquashMLP])
def test_network_config_and_seed(network):
    layer = network(3, (8, 8), seed=4)
    layer(tf.ones([1, 3]))
    again = network.from_config(layer.get_config())
    again(tf.ones([1, 3]))
    for a, b in zip(layer.variables, again.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert network(3, (8,))(tf.ones([1, 3])).dtype == tf.float32
    finally:
        keras.config.set_dtype_policy("float32")


# The contraction and its inverse.


def test_contraction_and_its_inverse_hold_after_large_steps():
    """Sixty steps of 0.3, towards data that want to be spread, and then kernels 100 times as large:
    the contraction is in the call, and not in what training keeps."""
    bijector = residual_map(size=3)
    y = 0.1 * rows(64, 3)
    optimizer = keras.optimizers.Adam(0.3)
    optimizer.build(bijector.network.trainable_variables)

    @tf.function
    def step(number):
        variables = bijector.network.trainable_variables
        with tf.GradientTape() as tape, training_noise(0, number):
            x, log_det = bijector.inverse_and_log_det(y)
            loss = tf.reduce_mean(tf.reduce_sum(x**2, -1) / 2 - log_det)
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return loss

    for number in range(60):
        assert np.isfinite(step(tf.constant(number)))
    check_contraction(bijector)
    for kernel in bijector.network.kernels:
        kernel.assign(100 * kernel)
    check_contraction(bijector)


def check_contraction(bijector):
    far = tf.concat([scale * rows(500, 3) for scale in (0.01, 0.1, 1.0, 10.0)], 0)
    norms = np.linalg.norm(bijector.network.at().linearize(far)[1].matrix(), ord=2, axis=(1, 2))
    assert 0.4 < norms.max() <= 0.97**3
    x, log_det = bijector.inverse_and_log_det(far)
    back, back_log_det = bijector.forward_and_log_det(tf.identity(x))
    assert np.abs(back - far).max() < 1e-5 * (1 + np.abs(far).max())
    np.testing.assert_allclose(back_log_det, -log_det, atol=1e-4)


def test_kernels_that_are_not_normalised_fail_the_contraction(monkeypatch):
    monkeypatch.setattr("tfflows.networks.lipschitz.spectral_norm_bound", tf.zeros_like)
    with pytest.raises(AssertionError):
        check_contraction(residual_map(size=3))


@pytest.mark.parametrize(
    "make", [residual_map, pytest.param(continuous_map, marks=pytest.mark.slow)]
)
def test_gradients_of_the_inverse_are_those_of_the_implicit_function(make):
    """A round trip moves with its start alone, and not with the weights."""
    tight = {} if make is residual_map else {"rtol": 1e-6, "atol": 1e-6}
    bijector = make(size=2, hidden=(8,), dtype="float64", **tight)
    x, weight = rows(5, 2, 0, "float64"), rows(5, 2, 1, "float64")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, log_det = bijector.forward_and_log_det(x)
        back, back_log_det = bijector.inverse_and_log_det(y)
        value = tf.reduce_sum(weight * back)
        log_dets = tf.reduce_sum(log_det + back_log_det)
        alone = tf.reduce_sum(weight * y) + tf.reduce_sum(log_det)
    np.testing.assert_allclose(tape.gradient(value, x), weight, atol=1e-4)
    variables = bijector.trainable_variables
    for of_value, of_log_dets, of_one in zip(
        *(tape.gradient(t, variables) for t in (value, log_dets, alone)), strict=True
    ):
        assert np.abs(of_value).max() < 1e-4 and np.abs(of_log_dets).max() < 1e-4
        assert np.abs(of_one).max() > 1e-2


def test_residual_map_above_the_exact_size():
    exact, series = residual_map(size=6), residual_map(size=6, exact_below=5)
    y = rows(50, 6)
    expected, got = (b.inverse_and_log_det(y)[1].numpy() for b in (exact, series))
    np.testing.assert_array_equal(series.inverse_and_log_det(tf.identity(y))[1], got)
    np.testing.assert_allclose(series.inverse_and_log_det(y[:3])[1], got[:3], atol=1e-5)
    assert np.corrcoef(expected, got)[0, 1] > 0.8
    # With all six vectors of the basis the series is exact but for its truncation.
    linear = exact.network.at().linearize(y)[1]
    basis = tf.constant(residual._orthogonal(6, 6), tf.float32) + tf.zeros([50, 1, 1])
    np.testing.assert_allclose(residual._series(linear, basis, 150, 1.0), expected, atol=1e-4)


# The solver.


def test_solver_is_as_good_as_its_tolerance():
    rate = tf.constant([[1.0], [-2.0], [0.5], [-30.0]], tf.float64)
    start = tf.ones([4, 1], tf.float64)

    def derivative(time, state, rate):
        return rate * state + tf.cos(3 * time) * tf.ones_like(state)

    def exact(rate):
        a, b = rate.numpy(), 3.0
        particular = lambda t: (b * np.sin(b * t) - a * np.cos(b * t)) / (a**2 + b**2)  # noqa: E731
        return np.exp(a) * (1 - particular(0.0)) + particular(1.0)

    errors = []
    for tolerance in (1e-3, 1e-5, 1e-7):
        got = ode.solve(derivative, start, [rate], tolerance, tolerance)
        errors.append(np.abs(got - exact(rate)).max())
        assert errors[-1] < 20 * tolerance
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    with tf.GradientTape() as tape:
        tape.watch([start, rate])
        end = ode.solve(derivative, start, [rate], 1e-7, 1e-7)
    by_start, by_rate = tape.gradient(end, [start, rate])
    np.testing.assert_allclose(by_start, np.exp(rate), atol=1e-5)
    step = 1e-5
    np.testing.assert_allclose(
        by_rate, (exact(rate + step) - exact(rate - step)) / (2 * step), atol=1e-5
    )


def test_solver_leaves_rows_alone():
    """A stiff row and rows without a solution change no other row."""

    def derivative(time, state):
        return state * state

    easy = tf.constant([[0.5], [-1.0], [0.1]])
    hard = tf.constant([[np.nan], [np.inf], [2.0], [-1000.0], [1e30]])  # of 2 the solution ends
    alone = ode.solve(derivative, easy).numpy()
    among = ode.solve(derivative, tf.concat([hard, easy], 0)).numpy()
    np.testing.assert_allclose(among[5:], alone, rtol=1e-6)  # rounding alone
    assert np.isnan(among[[0, 1, 2, 4]]).all()
    np.testing.assert_allclose(alone, easy / (1 - easy), atol=1e-4)
    np.testing.assert_allclose(among[3], -1.0, atol=2e-3)


@pytest.mark.slow
def test_a_solver_of_tfp_comes_to_the_same():
    """The same map and the same gradients by TFP's method and its adjoint."""
    solver = tfp.math.ode.DormandPrince(rtol=1e-8, atol=1e-8)
    results = []
    x = rows(3, 2, dtype="float64")
    bad = tf.concat([x, tf.constant([[np.nan, 0.0]], tf.float64)], 0)
    for other in (None, solver):
        bijector = continuous_map(
            2, (6,), dtype="float64", rtol=1e-7, atol=1e-7, context_shape=(2,), solver=other
        )
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, log_det = tf.function(bijector.forward_and_log_det)(x, rows(3, 2, 1, "float64"))
            total = tf.reduce_sum(tf.sin(y)) + tf.reduce_sum(log_det)
        gradients = tape.gradient(total, [x, *bijector.trainable_variables])
        results.append([y, log_det, *gradients])
        among = bijector.inverse(bad, context=tf.zeros([1, 2], tf.float64)).numpy()
        assert np.isfinite(among[:3]).all() and np.isnan(among[3]).all()
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


# Estimators.


def strong_contraction():
    """A map that brings points together by a factor of about 5: its series falls off slowly."""
    bijector = residual_map(scale=0.1)
    for kernel, sign in zip(bijector.network.kernels, (1, 1, -1), strict=True):
        kernel.assign_add(10.0 * sign * np.eye(*kernel.shape))
    for bias in bijector.network.biases:
        bias.assign_add(3.0 * np.ones(bias.shape))
    return bijector


MAPS = {
    "residual": strong_contraction,
    # One tolerance for both, as what the solver leaves is no matter of the estimator.
    "continuous": lambda: continuous_map(training_tolerance=1e-5),
}


@pytest.mark.parametrize("name", some(MAPS, ["residual"]))
def test_estimator_has_no_bias(name):
    """The mean of 200 draws is within 3 standard errors of the exact value; at a free seed 0.3 % of
    runs would not be. So it is with the gradient, of which every number is compared: their z have
    a mean square of 1, within 0.5."""
    mean, gradients = mean_of_draws(MAPS[name](), rows(64, 4), gradient=True)
    assert abs(mean.z) < 3, mean
    assert np.mean(np.square(gradients)) < 1.5


@pytest.mark.parametrize("name", some(MAPS, ["residual"]))
def test_a_biased_estimator_fails(name, monkeypatch):
    ESTIMATORS_BROKEN[name](monkeypatch)
    assert abs(mean_of_draws(MAPS[name](), rows(64, 4)).z) > 3


@pytest.mark.parametrize("backwards", [False, True])
def test_penalties_count_in_training_alone(backwards):
    x = rows(6, 3)
    values = []
    for kinetic, weight in ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (0.0, 0.1)):
        bijector = continuous_map(
            3, training_tolerance=1e-5, kinetic=kinetic, jacobian=weight, name="c"
        )
        joint = bijector.forward_and_log_det if backwards else bijector.inverse_and_log_det
        with training_noise(0, 0):
            values.append(joint(x)[1].numpy())
        evaluated = joint(x)[1].numpy()
        np.testing.assert_allclose(evaluated, values[0], atol=20)
        if kinetic == weight == 0:
            exact = evaluated
        np.testing.assert_array_equal(evaluated, exact)
    assert (values[1] < values[0]).all() and (values[3] < values[0]).all()
    np.testing.assert_allclose(values[2] - values[0], 2 * (values[1] - values[0]), atol=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tb.Residual(0, networks.LipschitzMLP), "size: expected at least 1, got 0"),
        (
            lambda: tb.Residual(2, networks.LipschitzMLP, exact_below=0),
            "exact_below: expected at least 1, got 0",
        ),
        (lambda: tb.Residual(2, networks.MLP), "network: residual expects a LipschitzMLP"),
        (lambda: tb.Residual(2, networks.LipschitzMLP(3)), "network: residual expects a map from"),
        (
            lambda: networks.LipschitzMLP(2, coefficient=1.0),
            "coefficient: expected a number between 0 and",
        ),
        (lambda: networks.LipschitzMLP(2, ()), "hidden_units: expected positive sizes"),
        (lambda: networks.ConcatSquashMLP(2, ()), "hidden_units: expected positive sizes"),
        (lambda: networks.ConcatSquashMLP(2, activation="relu"), "activation: expected tanh or"),
        (lambda: tb.ContinuousFlow(0, networks.ConcatSquashMLP), "size: expected at least 1"),
        (lambda: tb.ContinuousFlow(2, networks.MLP), "network: continuous expects a layer with"),
        (
            lambda: tb.ContinuousFlow(2, networks.ConcatSquashMLP, rtol=0),
            "rtol: expected a number between",
        ),
        (lambda: tb.ContinuousFlow(2, networks.ConcatSquashMLP, kinetic=-1), "kinetic: expected"),
        (lambda: continuous_map(3).inverse(tf.zeros([2, 4])), "event: continuous expects vectors"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
