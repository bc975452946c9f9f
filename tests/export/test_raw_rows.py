"""A model that standardises is served raw rows: scores, latents and samples in the data's units."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import export
from tests.small_flows import shake
from tfflows import models

# Far from 0 and 1, each in its own way.
MEAN, STD = np.array([1000.0, -50.0]), np.array([20.0, 0.1])


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A flow that is the normal distribution of that mean and deviation, and its export."""
    flow = models.NSF(2, layers=1, hidden_units=(8,), standardize=True)
    flow.set_standardization(MEAN, STD)
    path = export.save(flow, tmp_path_factory.mktemp("served") / "model")
    return flow, tf.saved_model.load(path).signatures


def rows(n=200):
    return (MEAN + STD * np.random.default_rng(0).normal(size=(n, 2))).astype("float32")


def test_scores_are_the_density_of_raw_rows(served):
    flow, signatures = served
    x = rows()
    exact = stats.norm.logpdf(x.astype("float64"), MEAN, STD).sum(1)
    for name in ("log_prob", "serving_default"):
        found = signatures[name](x=tf.constant(x))["log_prob"]
        np.testing.assert_allclose(found, exact, atol=5e-3)
        np.testing.assert_allclose(found, flow.log_prob(x), atol=1e-4)
    # Standardised rows are other rows, far out in the tails.
    standard = ((x - MEAN) / STD).astype("float32")
    assert signatures["log_prob"](x=tf.constant(standard))["log_prob"].numpy().max() < -1000.0


def test_latents_are_standard_and_decoded_rows_are_raw(served):
    flow, signatures = served
    x = rows()
    z = signatures["encode"](x=tf.constant(x))["z"].numpy()
    np.testing.assert_allclose(z, (x.astype("float64") - MEAN) / STD, atol=2e-3)
    again = signatures["decode"](z=tf.constant(z))["x"]
    np.testing.assert_allclose(again, x, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(flow.encode(x), z, atol=1e-5)
    np.testing.assert_allclose(flow.decode(z), again, rtol=1e-6)


def test_samples_are_raw_rows(served):
    _, signatures = served
    seed = tf.stack([tf.zeros([4000], tf.int64), tf.range(4000, dtype=tf.int64)], 1)
    x = signatures["sample"](seed=seed, temperature=tf.ones([4000]))["samples"].numpy()
    error = 4.0 * STD / np.sqrt(4000)
    assert (np.abs(x.mean(0) - MEAN) < error).all()
    np.testing.assert_allclose(x.std(0), STD, rtol=0.05)


def test_a_trained_flow_is_served_raw_rows_too(tmp_path):
    flow = shake(models.RealNVP(2, layers=2, hidden_units=(8,), standardize=True))
    flow.set_standardization(MEAN, STD)
    flow.initialize(rows())
    signatures = tf.saved_model.load(export.save(flow, tmp_path / "model")).signatures
    x = rows(20)
    found = signatures["log_prob"](x=tf.constant(x))["log_prob"]
    np.testing.assert_allclose(found, flow.log_prob(x), rtol=1e-4, atol=1e-3)
    # Change of variables by the formula: what the flow says of standardised rows, less log std.
    plain = models.RealNVP(2, layers=2, hidden_units=(8,))
    plain.initialize(rows(2))
    mean_and_scale = flow.bijector.bijectors[0].variables
    others = [v for v in flow.variables if id(v.value) not in {id(m) for m in mean_and_scale}]
    for variable, value in zip(plain.variables, others, strict=True):
        variable.assign(value)
    standard = ((x - MEAN) / STD).astype("float32")
    expected = plain.log_prob(standard).numpy() - np.log(STD).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2)
