"""`flow.distribution` takes any batch, none included, as TFP's own maps do."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import bijectors as tb
from tfflows import models

tfd = tfp.distributions


@pytest.mark.parametrize("family", [models.RealNVP, models.MAF, models.NSF, models.RecurrentFlow])
def test_a_single_event(family):
    distribution = family(2, layers=2).distribution
    assert distribution.sample(seed=1).shape == (2,)
    # The recurrent network does not start at the identity.
    if family is not models.RecurrentFlow:
        assert distribution.log_prob([0.0, 0.0]).numpy() == pytest.approx(-1.8379, abs=1e-4)
    x = distribution.sample([3, 2], seed=1)
    assert x.shape == (3, 2, 2) and distribution.log_prob(x).shape == (3, 2)
    np.testing.assert_allclose(distribution.log_prob(x)[1, 1], distribution.log_prob(x[1, 1]), 1e-5)


def test_a_single_chain():
    distribution = models.RealNVP(2, layers=2).distribution
    kernel = tfp.mcmc.HamiltonianMonteCarlo(distribution.log_prob, 0.3, 3)
    states = tfp.mcmc.sample_chain(
        5, tf.zeros([2]), kernel=kernel, trace_fn=lambda *_: (), seed=[0, 1]
    ).all_states
    assert states.shape == (5, 2) and np.isfinite(states).all() and np.std(states) > 0.01


def test_contexts_broadcast_against_events():
    flow = models.MAF(4, layers=2, context_dim=3)
    for variable in flow.trainable_variables:
        variable.assign_add(0.1 * np.random.default_rng(0).normal(size=variable.shape))
    x, context = tf.random.stateless_normal([5, 4], [0, 1]), tf.constant([0.1, -0.3, 0.7])
    got = flow.distribution.log_prob(x, bijector_kwargs={"context": context})
    np.testing.assert_allclose(got, flow.log_prob(x, tf.stack([context] * 5)), rtol=1e-5)


def test_two_batch_axes_of_contexts():
    affine = tb.ContextAffine(2, tb.Affine(), (3,))
    affine.kernel.assign(np.random.default_rng(0).normal(size=affine.kernel.shape))
    x = tf.random.stateless_normal([2, 3, 4, 4, 2], [0, 1])
    context = tf.random.stateless_normal([2, 3, 3], [0, 2])
    z, log_det = affine.inverse_and_log_det(x, context)
    assert z.shape == x.shape and log_det.shape == (2, 3)
    alone, its_log_det = affine.inverse_and_log_det(x[1, 2][tf.newaxis], context[1, 2][tf.newaxis])
    np.testing.assert_allclose(z[1, 2], alone[0], rtol=1e-5)
    np.testing.assert_allclose(log_det[1, 2], its_log_det[0], rtol=1e-5)


def test_shapes_are_known_in_graphs():
    flow = models.NSF(2, layers=1)

    @tf.function(input_signature=[tf.TensorSpec([None, 3, 2])])
    def encode(x):
        z = flow.bijector.inverse(x)
        assert z.shape.as_list() == [None, 3, 2]
        return z

    assert encode(tf.zeros([4, 3, 2])).shape == (4, 3, 2)
