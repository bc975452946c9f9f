"""Flows: densities, draws, initialisation, and what else the checks of every model leave out."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests import small_flows
from tfflows import Flow, models
from tfflows import bijectors as tb
from tfflows.models import compiled as compiling
from tfflows.networks import MLP

tfb, tfd = tfp.bijectors, tfp.distributions

FLOWS = small_flows.FLOWS


def test_unseeded_draws_differ_at_every_call_even_in_one_trace():
    flow = FLOWS["realnvp"]()
    flow.initialize(np.random.default_rng(0).normal(size=(50, 2)))
    assert np.abs(flow.sample(3).numpy() - flow.sample(3).numpy()).min() > 0
    traced = tf.function(lambda: flow.sample(3))
    assert np.abs(traced().numpy() - traced().numpy()).min() > 0


def test_draws_are_independent_standard_normals():
    flow = Flow(tfb.Identity(), [4])
    z = flow.sample(50_000, seed=1).numpy()
    assert np.abs(z.mean(0)).max() < 5 / np.sqrt(50_000)
    assert np.abs(z.T @ z / 50_000 - np.eye(4)).max() < 5 * np.sqrt(2 / 50_000)
    other = flow.sample(50_000, seed=2).numpy()
    assert abs(np.mean(z * other)) < 5 / np.sqrt(200_000)
    assert abs(np.mean(z[1:] * z[:-1])) < 5 / np.sqrt(200_000)


def test_temperature_scales_a_normal_base_and_no_other():
    flow = Flow(tfb.Identity(), [2])
    cool = flow.sample(5, seed=3, temperature=0.5)
    np.testing.assert_allclose(cool, 0.5 * flow.sample(5, seed=3), atol=1e-6)
    _, log_prob = flow.sample_and_log_prob(5, seed=3, temperature=0.5)
    np.testing.assert_allclose(log_prob, flow.log_prob(cool), atol=1e-5)
    with pytest.raises(ValueError, match="temperature: expected 1, as "):
        Flow(tfb.Identity(), [2], base="uniform").sample(5, temperature=0.5)


@pytest.mark.parametrize("base", ["uniform", "beta(5,5)"])
def test_outside_of_the_support_is_minus_infinity(base):
    log_prob = Flow(tfb.Identity(), [1], base=base).log_prob(
        [[-0.1], [0.5], [1.1], [np.inf], [np.nan]]
    )
    assert np.isneginf(log_prob.numpy()[[0, 2, 3]]).all()
    assert np.isfinite(log_prob[1]) and np.isnan(log_prob[4])


def test_base_distributions_agree_with_tfp():
    u = tf.constant([[1e-6], [0.2], [0.5], [0.9], [1 - 1e-6]])
    for base in ("normal", "logistic", "uniform", "beta(5,5)", "beta(2,1)"):
        flow = Flow(tfb.Identity(), [1], base=base)
        scalar = flow.base.distribution()
        # Near 1 a float32 share of the Beta holds three digits of the quantile.
        np.testing.assert_allclose(flow.base.quantile(u), scalar.quantile(u), atol=5e-4)
        z = scalar.quantile(u)[1:-1]
        np.testing.assert_allclose(flow.base.log_prob(z), scalar.log_prob(z), atol=1e-4)
        np.testing.assert_allclose(flow.log_prob(z), flow.distribution.log_prob(z), atol=1e-4)
    with pytest.raises(ValueError, match="base: expected normal, logistic, uniform or beta"):
        Flow(tfb.Identity(), [1], base="gauss")


class _Counting(MLP):
    calls = 0

    def call(self, inputs, context=None):
        type(self).calls += 1
        return super().call(inputs, context)


def _counted(function):
    _Counting.calls = 0
    function()
    return _Counting.calls


@pytest.mark.parametrize("wrap", [lambda b: b, lambda b: tfb.Chain([b]), tfb.Invert, tb.Invert])
def test_one_network_call_a_map(wrap):
    coupling = tb.Coupling([True, False], tb.Affine(), lambda n: _Counting(n, (4,)))
    bijector = wrap(coupling)
    distribution = tfd.TransformedDistribution(tfd.Sample(tfd.Normal(0.0, 1.0), [2]), bijector)
    flow = Flow(bijector, [2])
    x, seeds = tf.ones([3, 2]), tf.zeros([3, 2], tf.int64)
    assert _counted(lambda: distribution.log_prob(tf.identity(x))) == 1
    assert _counted(lambda: tf.function(distribution.log_prob)(x)) == 1
    assert _counted(lambda: distribution.experimental_sample_and_log_prob(3)) == 1
    assert _counted(lambda: flow.log_prob_fn(x)) == 1
    assert _counted(lambda: flow.draw_and_log_prob(seeds, tf.ones(3))) == 1


def test_two_maps_in_our_chain_are_two_calls():
    layers = [
        tb.Coupling(mask, tb.Affine(), lambda n: _Counting(n, (4,)))
        for mask in ([True, False], [False, True])
    ]
    flow = Flow(tb.Chain(layers), [2])
    assert _counted(lambda: flow.log_prob_fn(tf.ones([3, 2]))) == 2
    seeds = tf.zeros([3, 2], tf.int64)
    assert _counted(lambda: flow.draw_and_log_prob(seeds, tf.ones(3))) == 2


def test_scoring_the_same_tensor_after_a_change_of_weights():
    flow = FLOWS["realnvp"]()
    x = tf.random.stateless_normal([5, 2], [0, 1])
    before = flow.log_prob(x).numpy()
    eager_before = flow.log_prob_fn(x).numpy()
    for variable in flow.trainable_variables:
        variable.assign_add(0.1 * tf.ones_like(variable))
    assert np.abs(flow.log_prob(x).numpy() - before).min() > 1e-4
    assert np.abs(flow.log_prob_fn(x).numpy() - eager_before).min() > 1e-4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f.interpolate([0.0, 0.0], [1.0, 1.0], 1), "steps: expected a whole number"),
        (lambda f: f.initialize(np.ones((1, 2))), "x: initialisation needs at least 2 rows"),
        (
            lambda f: f.set_standardization([0, 0], [1, 1]),
            "standardize: expected a model built with standardize=True",
        ),
        (lambda f: Flow(f.bijector, []), "event_shape: expected positive sizes"),
        (lambda f: Flow(tb.LULinear(3), [2]), "event: lu_linear expects vectors of length 3"),
        (lambda f: Flow(tb.Chain([f.bijector]), [4]), "event: .* expects vectors of length 2"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call(FLOWS["realnvp"]())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.RealNVP(1), "dim: a coupling needs at least 2, got 1"),
        (
            lambda: models.RealNVP(2, layer=3),
            "layer: RealNVP has no such argument; it takes layers",
        ),
        (lambda: models.MAF(2, layers=0), "layers: expected at least 1, got 0"),
        (lambda: models.MAF(2, linear="qr"), "linear: expected none, reverse, permute or lu"),
        (lambda: models.NSF(2, bins=1), "bins: expected at least 2, got 1"),
        (lambda: models.MixtureCDFFlow(1, component="t"), "component: expected normal or logistic"),
        (lambda: models.AffineFlow(2, context_dim=1), "context_dim: this family takes no context"),
        (lambda: tb.Permutation([0, 2]), "order: expected a permutation"),
        (lambda: tb.Chain([]), "bijectors: expected at least one"),
        (
            lambda: tb.Coupling([True, True], tb.Affine(), lambda n: MLP(n)),
            "mask: expected a vector of booleans, some true and some false",
        ),
        (
            lambda: tb.Coupling([True, False], tb.Affine(), MLP(5)),
            r"network: coupling expects a map from \[batch, 1\] to \[batch, 2\]",
        ),
    ],
)
def test_bad_constructor_arguments(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_initialisation_normalises_every_act_norm_once():
    flow = models.RealNVP(2, layers=3, hidden_units=(8,))
    small_flows.shake(flow)
    x = np.random.default_rng(0).normal(3, 5, (500, 2)).astype("float32")
    flow.initialize(x)
    value = tf.constant(x)
    for bijector in flow.bijector.bijectors:
        value = bijector.inverse(tf.identity(value))
        if isinstance(bijector, tb.ActNorm):
            np.testing.assert_allclose(np.mean(value, 0), 0, atol=1e-3)
            np.testing.assert_allclose(np.std(value, 0), 1, atol=1e-3)
    before = [v.numpy() for v in flow.variables]
    flow.initialize(x + 10)
    for a, b in zip(before, flow.variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_act_norm_under_an_inverse_is_initialised_too():
    flow = Flow(tb.Chain([tb.Invert(tb.ActNorm(2))]), [2])
    x = np.random.default_rng(0).normal(3, 5, (500, 2)).astype("float32")
    flow.initialize(x)
    z = flow.encode(x).numpy()
    assert flow.initialized
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(z.std(0), 1, atol=1e-3)


def test_standardisation_takes_raw_rows_and_reports_both_units():
    flow = models.MAF(2, layers=1, hidden_units=(4,), actnorm=False, standardize=True)
    plain = models.MAF(2, layers=1, hidden_units=(4,), actnorm=False)
    mean, std = np.array([100.0, -3.0]), np.array([20.0, 0.01])
    flow.set_standardization(mean, std)
    x = np.random.default_rng(0).normal(mean, std, (10, 2)).astype("float32")
    standardised = flow.log_prob(x) + flow.standardization_log_det
    expected = plain.log_prob((x - mean) / std)
    np.testing.assert_allclose(standardised, expected, atol=1e-3)
    for bad in ([1.0, 0.0], [1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="std: expected"):
            flow.set_standardization(mean, bad)


def test_any_tfp_bijector_trains_inside_a_flow():
    lower_upper, permutation = tf.eye(3), tf.range(3)
    bijector = tfb.Chain(
        [
            tfb.Shift(tf.Variable(tf.zeros(3))),
            tfb.ScaleMatvecLU(tf.Variable(lower_upper), permutation),
        ]
    )
    flow = Flow(bijector, [3])
    assert len(flow.trainable_variables) == 2
    flow.compile("adam")
    x = np.random.default_rng(0).normal(4, 2, (256, 3)).astype("float32")
    data = tf.data.Dataset.from_tensors(x).repeat()
    losses = flow.fit(data, steps_per_epoch=30, epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0]
    assert np.isfinite(flow.sample(3, seed=0)).all()


def test_same_values_as_tfp_for_a_masked_autoregressive_flow():
    ours = tb.MaskedAutoregressive(
        3, tb.Affine(), lambda p: small_flows.made(p, 3, seed=4, scale=0.3)
    )

    def shift_and_log_scale(y):
        raw = ours.network(y)
        return raw[..., 0], 5.0 * tf.tanh(raw[..., 1] / 5.0)

    theirs = tfb.MaskedAutoregressiveFlow(shift_and_log_scale, unroll_loop=True)
    x = tf.random.stateless_normal([6, 3], [1, 2])
    np.testing.assert_allclose(ours.forward(x), theirs.forward(x), atol=1e-5)
    y = tf.random.stateless_normal([6, 3], [1, 3])
    np.testing.assert_allclose(ours.inverse(y), theirs.inverse(y), atol=1e-5)
    np.testing.assert_allclose(
        ours.inverse_log_det_jacobian(y), theirs.inverse_log_det_jacobian(y), atol=1e-5
    )


def test_a_splines_joint_and_single_methods_agree():
    raw = tf.random.stateless_normal([1, 1, 11], [0, 5], dtype=tf.float64)
    spline = tb.RationalQuadraticSpline(4, 2.0)(raw)
    y = tf.constant(np.linspace(-3, 3, 601))[:, tf.newaxis]
    x, log_det = spline.inverse_and_log_det(y)
    np.testing.assert_allclose(x, spline.inverse(tf.identity(y)), atol=1e-9)
    np.testing.assert_allclose(log_det, spline.inverse_log_det_jacobian(tf.identity(y)), atol=1e-7)
    assert (np.diff(x.numpy()[:, 0]) > 0).all()


def test_variables_that_training_would_not_move_are_an_error():
    bijector = tfb.RealNVP(1, shift_and_log_scale_fn=_closed_over_layer())
    with pytest.raises(ValueError, match="variables that are not in its attributes"):
        Flow(bijector, [2])


def test_networks_that_tfp_builds_on_first_use_are_found():
    network = tfb.AutoregressiveNetwork(2, event_shape=[2], hidden_units=[4])
    flow = Flow(tfb.MaskedAutoregressiveFlow(network), [2])
    assert {id(v.value) for v in flow.trainable_variables} == {id(v) for v in network.variables}
    assert len(flow.trainable_variables) == 4


def _closed_over_layer():
    layer = MLP(2, (4,))
    return lambda x, units: tf.split(layer(x), 2, axis=-1)


def test_where_a_map_is_not_defined_the_log_density_is_minus_infinity():
    rows = [[-1.0, 1.0], [0.0, 1.0], [0.5, 0.5], [np.nan, 1.0], [2.0, -1.0]]
    for bijector in (tfb.Exp(), tfb.Sigmoid(), tfb.Softplus()):
        log_prob = Flow(bijector, [2]).log_prob(rows).numpy()
        assert np.isneginf(log_prob[[0, 1, 4]]).all(), bijector.name
        assert np.isfinite(log_prob[2]) and np.isnan(log_prob[3])
    assert np.isnan(Flow(tfb.Identity(), [1], base="beta(1,1)").log_prob([[np.nan]]))[0]


def test_far_tails_of_a_mixture_with_normal_latents_are_finite():
    flow = models.MixtureCDFFlow(2, component="logistic", base="normal")
    far = flow.log_prob([[1e12, 0.0], [9e17, 0.0], [-1e6, 1e6]]).numpy()
    assert np.isfinite(far).all()
    exact = -60.0 + np.log(np.mean(np.exp([-2.0, -1.0, 0.0, 1.0, 2.0])))
    near = flow.log_prob([[60.0, 0.0]])
    at_zero = flow.log_prob([[0.0, 0.0]]).numpy() / 2
    np.testing.assert_allclose(near - at_zero, [exact], atol=1e-3)


def test_rows_far_outside_of_float32_before_standardisation_are_scored():
    flow = models.MAF(2, layers=1, hidden_units=(4,), actnorm=False, standardize=True)
    flow.set_standardization([0.0, 0.0], [1e20, 1.0])
    log_prob = flow.log_prob([[1e20, 0.0], [3e38, 0.0]]).numpy() + flow.standardization_log_det
    assert log_prob[0] == pytest.approx(-0.5 - np.log(2 * np.pi), abs=1e-2)
    assert np.isneginf(log_prob[1])


def test_initialisation_from_rows_that_are_not_finite_is_refused():
    flow = FLOWS["realnvp"]()
    with pytest.raises(ValueError, match="x: expected finite rows, got NaN or infinity in row 1"):
        flow.initialize([[0.0, 1.0], [np.nan, 1.0]])
    assert not flow.initialized


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: tb.RationalQuadraticSpline(3000),
            "bins: expected fewer than 1 / min_bin, got 3000 with a min_bin of 0.001",
        ),
        (lambda: tb.RationalQuadraticSpline(min_slope=1.0), "min_slope: expected a number between"),
    ],
)
def test_bad_splines(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    "rows,shares",
    [*(pytest.param(n, k, marks=pytest.mark.slow) for n, k in ((1, 1), (9, 2))), (4, 2)],
)
def test_xla_for_batches_of_one_size(rows, shares, monkeypatch):
    monkeypatch.setattr(compiling, "_shares", lambda size: shares)
    flow = models.MAF(2, layers=2, hidden_units=(16, 16), context_dim=1)
    context = np.linspace(-1, 1, rows)[:, np.newaxis]
    flow.initialize(np.random.default_rng(0).normal(size=(50, 2)), np.zeros([50, 1]))
    small_flows.shake(flow)
    x, log_prob = flow.sample_and_log_prob(rows, seed=3, context=context)
    flow.use_xla(4)
    again, log_prob_again = flow.sample_and_log_prob(rows, seed=3, context=context)
    np.testing.assert_allclose(again, x, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(log_prob_again, log_prob, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(flow.log_prob(x, context), log_prob, rtol=1e-4, atol=1e-4)
    graphs = [f.graph.as_graph_def() for key, f in flow._functions.items() if key[1] == 4]
    assert len(graphs) == 2
    for graph in graphs:
        compiled = [f for f in graph.library.function if f.attr["_XlaMustCompile"].b]
        assert len(compiled) == 1
        assert [n.op for n in graph.node].count("StatefulPartitionedCall") == shares
    # Inside of another function, and for no rows, as without.
    traced = tf.function(lambda x, c: flow.log_prob(x, c))(x, tf.cast(context, tf.float32))
    np.testing.assert_allclose(traced, log_prob, rtol=1e-4, atol=1e-4)
    assert flow.log_prob(x[:0], context[:0]).shape == (0,)


@pytest.mark.parametrize(
    "rows,cores,shares", [(64, 4, 1), (512, 2, 2), (512, 16, 4), (1000, 3, 2), (509, 4, 1)]
)
def test_cores_share_batches_that_are_worth_it(rows, cores, shares, monkeypatch):
    monkeypatch.setattr(compiling, "usable_cores", lambda: cores)
    assert compiling._shares(rows) == shares


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "512", tf.constant(5)])
def test_a_batch_size_for_xla_is_a_count(size):
    with pytest.raises(ValueError, match="batch_size: expected "):
        models.AffineFlow(2).use_xla(size)


@pytest.mark.parametrize("base", ["", "beta(e,1)", "beta(1.2.3,1)", "beta(1e999,1)", "beta(0.5,1)"])
def test_bases_that_are_none(base):
    with pytest.raises(ValueError, match="base: expected .* got "):
        models.AffineFlow(2, base=base)
