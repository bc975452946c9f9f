"""The bridge: one variable, seen by Keras, `tf.Module` and the checkpoint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import Flow, tracking
from tfflows import bijectors as tb
from tfflows.networks import MLP, AutoregressiveNetwork

tfb, tfd = tfp.bijectors, tfp.distributions


def _coupling():
    return tb.Coupling([True, False], tb.Affine(), lambda n: MLP(n, (4,)))


def _autoregressive():
    return tb.MaskedAutoregressive(2, tb.Affine(), lambda n: AutoregressiveNetwork(n, 2, (4,)))


@pytest.mark.parametrize("build", [_coupling, _autoregressive])
@pytest.mark.parametrize("wrap", [lambda b: b, lambda b: tfb.Chain([b]), tfb.Invert, tb.Invert])
def test_one_variable_for_every_reader(build, wrap, tmp_path):
    bijector = wrap(build())
    flow = Flow(bijector, [2])
    distribution = tfd.TransformedDistribution(tfd.Sample(tfd.Normal(0.0, 1.0), [2]), bijector)
    expected = {id(v) for v in tracking.raw_variables(bijector)}
    assert len(expected) == len(flow.trainable_variables) == 4
    for reader in (bijector, distribution):
        assert {id(v) for v in reader.trainable_variables} == expected
    assert {id(v.value) for v in flow.trainable_variables} == expected
    checkpoint = tf.train.Checkpoint(model=flow)
    saved = checkpoint.write(str(tmp_path / "checkpoint"))
    values = [v.numpy() for v in flow.trainable_variables]
    for v in flow.trainable_variables:
        v.assign(v + 1.0)
    checkpoint.read(saved)
    for v, value in zip(flow.trainable_variables, values, strict=True):
        np.testing.assert_array_equal(v.numpy(), value)


def test_adopted_variables_keep_trainable_name_dtype_and_constraint():
    free = tf.Variable(3.0, name="a/scale", constraint=lambda v: tf.maximum(v, 1.0))
    module = tf.Module()
    module.parts = {"free": [free], "fixed": tf.Variable(2, trainable=False, dtype=tf.int32)}
    adopted = tracking.AdoptedModule(module)
    assert [v.value for v in adopted.trainable_variables] == [free]
    assert adopted.trainable_variables[0].constraint is not None
    assert adopted.non_trainable_variables[0].dtype == "int32"
    assert all("/" not in v.name for v in adopted.variables)
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.apply([tf.constant(10.0)], adopted.trainable_variables)
    assert free.numpy() == 1.0  # 3 - 10, lifted to 1 by the constraint
    assert adopted(tf.constant(5.0)) == 5.0


def test_keras_training_moves_the_bijectors_own_variables():
    bijector = _autoregressive()
    before = [v.numpy() for v in bijector.trainable_variables]
    flow = Flow(bijector, [2])
    flow.compile(keras.optimizers.SGD(0.1))
    x = np.random.default_rng(0).normal(3, 2, (64, 2)).astype("float32")
    flow.fit(tf.data.Dataset.from_tensors(x).repeat(), steps_per_epoch=3, verbose=0)
    moved = [
        np.any(v.numpy() != b) for v, b in zip(bijector.trainable_variables, before, strict=True)
    ]
    assert sum(moved) >= 2
    flow.trainable = False
    assert not flow.trainable_variables


def test_tfp_vi_trains_a_flow():
    """The bijector's own view is enough for TFP's training."""
    bijector = tb.Invert(_autoregressive())
    surrogate = tfd.TransformedDistribution(tfd.Sample(tfd.Normal(0.0, 1.0), [2]), bijector)
    target = tfd.MultivariateNormalDiag([1.0, -1.0], [0.5, 2.0])
    optimizer = keras.optimizers.Adam(5e-2)
    variables = surrogate.trainable_variables
    optimizer.build(keras_variables := list(tracking.AdoptedModule(bijector).trainable_variables))

    @tf.function
    def step(seed):
        with tf.GradientTape() as tape:
            loss = tfp.vi.monte_carlo_variational_loss(
                target.log_prob, surrogate, sample_size=64, seed=seed
            )
        optimizer.apply(tape.gradient(loss, variables), keras_variables)
        return loss

    losses = [float(step(tf.constant([0, i]))) for i in range(150)]
    assert np.mean(losses[-20:]) < 0.1 < losses[0]
