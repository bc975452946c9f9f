"""NaN says that something is wrong; -inf says that a row is outside of the support."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import export
from tests import small_images
from tfflows import Flow, models
from tfflows import bijectors as tb

tfb = tfp.bijectors

NAN, INF = np.nan, np.inf
ROWS = np.array(
    [[NAN, INF], [NAN, 1e19], [NAN, 0.0], [INF, 0.0], [0.0, -INF], [1e30, 0.0], [0.5, 0.5]],
    np.float32,
)
KINDS = ["nan"] * 3 + ["-inf"] * 3 + ["finite"]


def kinds(log_prob):
    """What each number is."""
    return [
        "nan" if np.isnan(v) else str(v) if np.isinf(v) else "finite" for v in np.asarray(log_prob)
    ]


def conditional(family=models.NSF, **more):
    flow = family(2, layers=2, hidden_units=(8,), context_dim=1, **more)
    flow.initialize(np.random.default_rng(0).normal(size=(50, 2)), np.zeros((50, 1)))
    return flow


def spoil(flow):
    """Makes NaN of the last weight that is trained."""
    variable = flow.trainable_variables[-1]
    variable.assign(tf.fill(variable.shape, NAN))


@pytest.mark.parametrize(
    "make",
    [
        lambda: models.RealNVP(2, layers=2, actnorm=False, hidden_units=(8,)),
        lambda: models.MAF(2, layers=2, actnorm=False, hidden_units=(8,), standardize=True),
        lambda: models.NSF(2, layers=2, actnorm=False, hidden_units=(8,)),
        lambda: Flow(tfb.Identity(), [2]),
        lambda: Flow(tfb.Identity(), [2], base="beta(5,5)"),
        lambda: Flow(tfb.Exp(), [2]),
    ],
)
def test_nan_in_a_row_is_nan_whatever_stands_beside_it(make):
    flow = make()
    assert kinds(flow.log_prob(ROWS)) == KINDS
    flow.use_xla(4)
    assert kinds(flow.log_prob(ROWS)) == KINDS


def test_nan_in_the_context_is_nan_in_the_export_too(tmp_path):
    flow = conditional(models.RealNVP)
    x = np.array([[0.5, 0.5], [0.5, 0.5], [INF, 0.0], [INF, 0.0], [50.0, 50.0]], np.float32)
    context = np.array([[0.0], [NAN], [0.0], [NAN], [NAN]], np.float32)
    expected = ["finite", "nan", "-inf", "nan", "nan"]
    assert kinds(flow.log_prob(x, context)) == expected
    served = tf.saved_model.load(export.save(flow, tmp_path)).signatures["log_prob"]
    served = served(x=tf.constant(x), context=tf.constant(context))["log_prob"]
    assert kinds(served) == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: conditional(),
        lambda: conditional(models.RealNVP),
        lambda: conditional(models.MAF),
        lambda: Flow(tb.Chain([tfb.Exp(), tb.LULinear(2)]), [2]),
        lambda: Flow(tfb.Chain([tfb.Scale(tf.Variable([1.0, 1.0])), tfb.Exp()]), [2]),
    ],
)
def test_nan_in_weights_is_nan(make):
    flow = make()
    context = None if flow.context_shape is None else np.zeros((2, 1))
    x = np.array([[0.5, 0.7], [1.5, 0.1]])
    assert kinds(flow.log_prob(x, context)) == ["finite"] * 2
    spoil(flow)
    assert kinds(flow.log_prob(x, context)) == ["nan"] * 2


@pytest.mark.parametrize("family", [models.RealNVP, models.MAF, models.NSF])
def test_a_conditioner_that_overflows_is_nan(family):
    flow = family(2, layers=1, hidden_units=(8,), actnorm=False, precision="mixed_float16")
    networks = flow.bijector.bijectors[-1].network
    for variable in networks.variables:
        variable.assign(tf.fill(variable.shape, 3e3))
    expected = "finite" if family is models.MAF else "nan"  # whose networks are float32
    assert kinds(flow.log_prob([[4.0, 4.0], [0.5, 0.5]])) == [expected] * 2
    flow = family(2, layers=1, hidden_units=(8,), actnorm=False)
    for variable in flow.bijector.bijectors[-1].network.variables:
        variable.assign(tf.fill(variable.shape, 3e30))
    assert kinds(flow.log_prob([[4.0, 4.0], [0.5, 0.5]])) == ["nan"] * 2


def test_bytes():
    flow = small_images.initialized("glow_classes")
    x, context = small_images.images(flow, 6)
    x = x.astype(np.float32)
    x[1, 0, 0], x[2, 0, 0], x[2, 1, 1], x[3, 0, 0], x[4, 0, 0] = NAN, NAN, INF, 300.0, INF
    context[5, 0] = NAN
    assert kinds(flow.log_prob(x, context)) == ["finite", "nan", "nan", "-inf", "-inf", "nan"]
    context[:] = NAN
    assert kinds(flow.log_prob(x, context)) == ["nan"] * 6
    context[:] = 0.0
    spoil(flow)
    assert kinds(flow.log_prob(x[:1], context[:1])) == ["nan"]
    flow.samples = 3
    assert kinds(flow.log_prob(x[:1], context[:1])) == ["nan"]


@pytest.mark.parametrize("map", [tb.LinearSpline, tb.QuadraticSpline, tb.CubicSpline])
def test_the_end_of_a_bounded_map_is_the_end_of_the_support(map):
    flow = Flow(tb.Elementwise(map(4, tails="bounded"), 2), [2], base="uniform")
    assert kinds(flow.log_prob([[0.5, 0.5], [1.5, 0.5], [0.5, -0.1], [NAN, 2.0]])) == [
        *("finite", "-inf", "-inf", "nan")
    ]
    spoil(flow)
    assert kinds(flow.log_prob([[0.5, 0.5]])) == ["nan"]


@pytest.mark.parametrize("model", [models.GaussianMixture, models.Histogram])
def test_estimated_models(model):
    fitted = model(2, standardize=True)
    fitted.estimate(np.random.default_rng(0).normal(size=(500, 2)))
    assert kinds(fitted.log_prob(ROWS)) == KINDS
    fitted.parameters.trainable_variables[0].assign(
        tf.fill(fitted.parameters.trainable_variables[0].shape, NAN)
    )
    assert kinds(fitted.log_prob(ROWS[-1:])) == ["nan"]
