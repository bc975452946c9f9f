"""Training: the loss, the weights of rows, replicas and workers."""

import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import small_flows
from tfflows import Flow, models, training
from tfflows import bijectors as tb

STEPS, BATCH = 50, 32


def distributed_flow(name):
    """The flows of the equality tests: RealNVP with ActNorm, and MAF."""
    if name == "realnvp":
        return models.RealNVP(2, layers=2, hidden_units=(8,), actnorm=True)
    return models.MAF(2, layers=2, hidden_units=(8, 8), actnorm=False)


def distributed_rows():
    """A fixed data set of the equality tests."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(BATCH * 10, 2)) * [1.0, 3.0] + [2.0, -1.0]
    return np.stack([x[:, 0], x[:, 1] + np.square(x[:, 0])], 1).astype("float32")


def train(name, strategy=None, **clip):
    """Parameters after STEPS steps of a global batch of BATCH."""
    scope = strategy.scope() if strategy else tf.distribute.get_strategy().scope()
    with scope:
        flow = distributed_flow(name)
        # Adam's usual epsilon turns the rounding of a gradient near zero into a step of its own:
        # the order of the rows in a batch alone then moves parameters by 3e-4.
        flow.compile(training.Adam(1e-2, epsilon=1e-3, **clip))
    data = tf.data.Dataset.from_tensor_slices(distributed_rows()).batch(BATCH).repeat()
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    history = flow.fit(data.with_options(options), steps_per_epoch=STEPS, verbose=0)
    return flow, history.history["loss"]


@pytest.mark.slow
def test_two_logical_replicas_equal_one():
    """In a process of its own, because logical devices are made before anything runs."""
    script = f"""
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from tests.models import test_training as t
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
clips = {{"global_clipnorm": 0.5}}, {{}}, {{"clipvalue": 0.05}}
for name, clip in zip(("realnvp", "maf", "maf"), clips, strict=True):
    (one, loss_one), (two, loss_two) = t.train(name, **clip), t.train(name, strategy, **clip)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6, err_msg=a.path)
    np.testing.assert_allclose(loss_one, loss_two, rtol=1e-4)
    ragged = tf.data.Dataset.from_tensor_slices(t.distributed_rows()[:77]).batch({BATCH})
    exact = -np.mean(one.log_prob(t.distributed_rows()[:77]))
    for flow in (one, two):
        np.testing.assert_allclose(flow.evaluate(ragged, verbose=0), exact, rtol=1e-4)
    x = two.sample(4, seed=10)
    np.testing.assert_allclose(two.sample(1, seed=10, start=2)[0], x[2], atol=1e-5)
print("equal")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert done.stdout.endswith("equal\n"), done.stderr[-3000:]


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.mark.slow
def test_two_workers_equal_one(tmp_path):
    script = """
import sys
import numpy as np
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from tests.models import test_training as t
weights = {}
for name in ("realnvp", "maf"):
    flow, loss = t.train(name, strategy)
    assert np.isfinite(loss).all()
    weights |= {f"{name}_{i}": w.numpy() for i, w in enumerate(flow.weights)}
np.savez(sys.argv[1], **weights)
"""
    workers = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    running = []
    for index in range(2):
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        environment = {
            **os.environ,
            "TF_CONFIG": json.dumps(config),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "-c", script, str(tmp_path / f"{index}.npz")]
        running.append(
            subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        )
    errors = [process.communicate(timeout=300)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors[0][-3000:]
    for name in ("realnvp", "maf"):
        one, _ = train(name)
        for index in range(2):
            got = np.load(tmp_path / f"{index}.npz")
            for i, weight in enumerate(one.weights):
                np.testing.assert_allclose(
                    got[f"{name}_{i}"], weight.numpy(), rtol=1e-5, atol=1e-6, err_msg=weight.path
                )


def test_evaluate_weights_rows_and_not_batches():
    flow = small_flows.trained_for_a_moment("affine")
    clone = models.AffineFlow(2)
    clone.set_weights(flow.get_weights())
    clone.compile("adam")
    x = np.random.default_rng(0).normal(size=(10, 2)).astype("float32")
    x[8:] *= 10.0  # the short last batch is another kind of row
    data = tf.data.Dataset.from_tensor_slices(x).batch(4)
    exact = -float(np.mean(flow.log_prob(x)))
    assert clone.evaluate(data, verbose=0) == pytest.approx(exact, rel=1e-5)
    assert clone.evaluate(data, verbose=0, return_dict=True)["loss"] == pytest.approx(exact, 1e-5)
    np.testing.assert_allclose(clone.predict(data, verbose=0), flow.log_prob(x), rtol=1e-5)


def test_context_and_steps_per_execution():
    flow = models.MAF(2, context_dim=1, layers=1, hidden_units=(16,), actnorm=True)
    rng = np.random.default_rng(0)
    context = rng.choice([-3.0, 3.0], (512, 1)).astype("float32")
    x = (rng.normal(size=(512, 2)) * 0.1 + context).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, context)).batch(64).repeat()
    flow.compile(keras.optimizers.Adam(3e-2), steps_per_execution=10)
    flow.fit(data, steps_per_epoch=200, verbose=0)
    right, wrong = flow.log_prob(x, context), flow.log_prob(x, -context)
    assert np.mean(right) > 0.5 and np.mean(wrong) < -50
    np.testing.assert_allclose(
        np.mean(flow.sample(50, 1, context=context[:50]), 1), context[:50, 0], atol=0.5
    )
    assert flow.evaluate(data.take(8), verbose=0) == pytest.approx(-np.mean(right), rel=1e-3)


def test_dropout_is_a_function_of_seed_and_step():
    def run(seed, steps):
        flow = models.MAF(2, layers=1, hidden_units=(16, 16), dropout=0.5, actnorm=False)
        small_flows.shake(flow)
        flow.seed = seed
        flow.compile(keras.optimizers.SGD(1e-2))
        data = tf.data.Dataset.from_tensors(distributed_rows()[:BATCH] / 5.0).repeat()
        flow.fit(data, steps_per_epoch=steps, verbose=0)
        return np.concatenate([w.numpy().ravel() for w in flow.trainable_variables])

    np.testing.assert_array_equal(run(0, 3), run(0, 3))
    assert np.abs(run(0, 3) - run(1, 3)).max() > 1e-6
    flow = models.MAF(2, layers=1, hidden_units=(16, 16), dropout=0.5, actnorm=False)
    small_flows.shake(flow)
    x = distributed_rows()[:5]
    np.testing.assert_array_equal(flow.log_prob(x), flow.log_prob(x.copy()))


@pytest.mark.slow
def test_reverse_kl_fits_an_unnormalised_density():
    flow = models.IAF(2, layers=2, hidden_units=(16, 16))

    def target(x):  # N((1, -2), diag(0.25, 4)), unnormalised
        return -2.0 * tf.square(x[:, 0] - 1.0) - tf.square(x[:, 1] + 2.0) / 8.0

    flow.compile(keras.optimizers.Adam(1e-2), target_log_prob=target, jit_compile=True)
    data = tf.data.Dataset.range(10**6).batch(128)
    flow.fit(data, steps_per_epoch=400, verbose=0)
    exact = -np.log(2 * np.pi * 0.5 * 2.0)
    loss = flow.evaluate(tf.data.Dataset.range(2 * 10**6, 2 * 10**6 + 4096).batch(512), verbose=0)
    assert exact - 0.05 < loss < exact + 0.05
    x = flow.sample(4000, seed=0).numpy()
    np.testing.assert_allclose(x.mean(0), [1, -2], atol=0.2)


@pytest.mark.slow
def test_jit_and_graph_training_agree():
    results = []
    for jit in (False, True):
        flow = small_flows.FLOWS["nsf"]()
        flow.compile(keras.optimizers.Adam(1e-3), jit_compile=jit)
        data = tf.data.Dataset.from_tensors(distributed_rows()[:BATCH] / 5.0).repeat()
        results.append(flow.fit(data, steps_per_epoch=20, verbose=0).history["loss"][0])
    assert results[0] == pytest.approx(results[1], rel=1e-3)


@pytest.mark.parametrize("kind", ["float64", "int", "arrays", "generator", "batch"])
def test_whatever_keras_hands_on(kind):
    flow = models.RealNVP(2, layers=1, hidden_units=(4,))
    flow.compile("adam")
    x = distributed_rows()[:64]
    batches = [x[i : i + 16] for i in range(0, 64, 16)]
    if kind == "arrays":
        flow.fit(x, batch_size=16, verbose=0)
    elif kind == "generator":
        flow.fit(((b,) for b in batches), steps_per_epoch=4, verbose=0)
    elif kind == "batch":
        flow.initialize(x)
        flow.train_on_batch(x)
    else:
        cast = x.astype("int64" if kind == "int" else kind)
        data = tf.data.Dataset.from_tensor_slices(cast).batch(16)
        flow.fit(data, verbose=0)
        np.testing.assert_allclose(flow.predict(data, verbose=0), flow.log_prob(cast), atol=1e-4)
    assert int(flow.optimizer.iterations) == (1 if kind == "batch" else 4)


def test_context_given_as_an_array():
    flow = models.RealNVP(2, context_dim=1, layers=1, hidden_units=(4,))
    flow.compile("adam")
    x = distributed_rows()[:64]
    flow.fit(x, np.ones((64, 1)), batch_size=16, verbose=0)
    assert flow.initialized


def test_wrong_batches_are_errors_and_not_ignored():
    flow = models.MixtureCDFFlow(1)
    flow.compile("adam", run_eagerly=True)
    for data, message in (
        (np.ones((8, 3), "float32"), r"x: expected shape \[batch, 1\]"),
        ((np.ones((8, 1), "float32"),) * 2, "context: the model takes no context"),
    ):
        with pytest.raises(ValueError, match=message):
            flow.fit(tf.data.Dataset.from_tensors(data), verbose=0)


def test_weights_of_rows():
    flow = models.RealNVP(2, context_dim=1, layers=1, hidden_units=(4,), actnorm=False)
    flow.compile("adam")
    x, context = distributed_rows()[:32], np.ones((32, 1), "float32")
    weights = (np.arange(32) < 8).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, context, weights)).batch(12)
    exact = -np.mean(flow.log_prob(x[:8], context[:8]))
    assert flow.evaluate(data, verbose=0) == pytest.approx(exact, rel=1e-5)
    before = flow.get_weights()
    flow.fit(data.map(lambda x, c, w: (x, c, 0.0 * w)), verbose=0)
    for a, b in zip(before, flow.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for method in (flow.fit, flow.evaluate):  # Keras would leave them out
        with pytest.raises(ValueError, match="sample_weight: expected None without contexts"):
            method(x, sample_weight=weights)


def test_weights_train_as_repeated_rows_do():
    x, context = distributed_rows()[:32], np.ones((32, 1), "float32")
    weights = np.tile([2, 0, 1, 3], 8)

    def trained(*arrays):
        flow = models.RealNVP(2, context_dim=1, layers=1, hidden_units=(4,), actnorm=False)
        flow.compile(keras.optimizers.SGD(0.1))
        data = tf.data.Dataset.from_tensors(arrays)
        loss = flow.fit(data, verbose=0).history["loss"][0]
        return loss, np.concatenate([w.ravel() for w in flow.get_weights()])

    loss, weighted = trained(x, context, weights.astype("float32"))
    expected, repeated = trained(np.repeat(x, weights, 0), np.repeat(context, weights, 0))
    assert loss == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-5, atol=1e-5)
    assert np.abs(trained(x, context)[1] - repeated).max() > 1e-4


def test_regularised_conditioners():
    def network(outputs):
        return keras.layers.Dense(outputs, kernel_regularizer=keras.regularizers.L2(1.0))

    flow = Flow(tb.Coupling([True, False], tb.Affine(), network), [2])
    flow.compile(keras.optimizers.SGD(0.1))
    kernel = next(v for v in flow.trainable_variables if len(v.shape) == 2)
    kernel.assign(tf.ones_like(kernel))
    data = tf.data.Dataset.from_tensors(np.zeros((8, 2), "float32")).repeat()
    flow.fit(data, steps_per_epoch=20, verbose=0)
    assert np.abs(kernel.numpy()).max() < 0.05


def test_a_flow_made_in_a_strategys_scope_finds_its_variables():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        flow = Flow(tb.Chain([tb.ActNorm(2), tb.LULinear(2)]), [2])
    assert len(flow.trainable_variables) == 6
