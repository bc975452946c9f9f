"""The chain that recomputes its activations: gradients, noise, weights, memory."""

import contextlib
import gc
import os
import re
import subprocess
import sys
import weakref

import numpy as np
import pytest
import tensorflow as tf

from tests.small_flows import shake
from tfflows import bijectors as tb
from tfflows import models, networks
from tfflows.random import training_noise
from tfflows.tracking import raw_variables

MAPS = {
    "affine": tb.Affine(),
    "additive": tb.Additive(),
    "mixture": tb.LogisticMixtureAffine(2),
}


def members(map="affine", dropout=0.0, context=None, network=networks.ConvNet, steps=2):
    """Steps of Glow over images of 4 x 4 x 1."""
    layers = [tb.Squeeze()]
    for i in range(steps):

        def conditioner(outputs, i=i):
            return network(outputs, 4, dropout=dropout, seed=i)

        layers += [
            tb.ActNorm(4),
            tb.InvertibleConvolution1x1(4, seed=i),
            tb.ChannelCoupling((2, 2, 4), MAPS[map], conditioner, i % 2 == 1, context),
        ]
    rng = np.random.default_rng(0)
    for variable in raw_variables(tb.Chain(layers)):
        if variable.trainable:
            variable.assign_add(0.1 * rng.normal(size=variable.shape))
    return layers


def gradients(chain, inverse=True, context=None, mode="eager", noise=True):
    """Loss and its gradients by the event, the context and every variable."""
    variables = [v for v in raw_variables(chain) if v.trainable]
    shape = [5, 4, 4, 1] if inverse else [5, 2, 2, 4]
    inputs = [tf.constant(np.random.default_rng(1).normal(size=shape), tf.float32)]
    if context is not None:
        inputs.append(tf.constant(np.random.default_rng(2).normal(size=[5, *context]), tf.float32))
    joint = tb.inverse_and_log_det if inverse else tb.forward_and_log_det

    def run(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            with training_noise(0, 3) if noise else contextlib.nullcontext():
                value, log_det = joint(chain, inputs[0], 3, *inputs[1:])
            loss = tf.reduce_sum(value**2) + tf.reduce_sum(log_det * tf.range(1.0, 6.0))
        return [loss, *tape.gradient(loss, [*inputs, *variables])]

    if mode != "eager":
        run = tf.function(run, jit_compile=mode == "xla")
    return [result.numpy() for result in run(*inputs)]


def assert_same(got, expected, tolerance=1e-4):
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


# Not the mixture from latents to data: far latents have no gradient that float32 can hold.
@pytest.mark.parametrize(
    ("map", "context", "mode", "inverse"),
    [
        ("affine", (3,), "eager", True),
        ("affine", (3,), "eager", False),
        ("affine", (3,), "graph", True),
        ("additive", None, "eager", True),
        ("additive", None, "eager", False),
        ("mixture", (3,), "eager", True),
    ],
)
def test_gradients_are_those_of_a_chain(map, context, mode, inverse):
    layers = members(map, 0.4, context)
    expected = gradients(tb.Chain(layers), inverse, context)
    got = gradients(tb.RecomputingChain(layers), inverse, context, mode)
    assert_same(got, expected, 5e-3 if map == "mixture" else 2e-4)


def test_gradients_under_xla():
    layers = members(dropout=0.4, steps=1)
    expected = gradients(tb.Chain(layers))
    assert_same(gradients(tb.RecomputingChain(layers), mode="xla"), expected, 2e-4)


def test_gradients_without_noise_are_others():
    layers = members(dropout=0.4)
    still, noisy = (gradients(tb.RecomputingChain(layers), noise=n) for n in (False, True))
    assert max(np.abs(a - b).max() for a, b in zip(still, noisy, strict=True)) > 0.1
    assert_same(still, gradients(tb.Chain(layers), noise=False))


@pytest.mark.parametrize("keep_every", [1, 3])
def test_kept_inputs_change_no_gradient(keep_every):
    layers = members("mixture", 0.4)
    got = gradients(tb.RecomputingChain(layers, keep_every))
    assert_same(got, gradients(tb.Chain(layers)), 1e-5 if keep_every == 1 else 5e-3)


def test_a_member_that_comes_twice_gets_the_sum_of_both_gradients():
    layers = members()
    layers += layers[1:]
    assert_same(gradients(tb.RecomputingChain(layers)), gradients(tb.Chain(layers)), 1e-3)


class _Token:
    """What a tape holds as long as it keeps the activation that was made with it."""

    alive = weakref.WeakSet()


class _Watched(networks.ConvNet):
    """Counts its calls, and how many of its activations tapes keep."""

    calls = most = 0

    def call(self, inputs, context=None):
        @tf.custom_gradient
        def kept(x):
            token = _Token()
            _Token.alive.add(token)

            def backward(upstream):
                assert token in _Token.alive
                return upstream

            return tf.identity(x), backward

        result = kept(super().call(inputs, context))
        _Watched.calls += 1
        _Watched.most = max(_Watched.most, len(_Token.alive))
        return result


@pytest.mark.parametrize(
    ("make", "calls", "most"),
    [
        (tb.Chain, 4, 4),
        (tb.RecomputingChain, 12, 2),
        (lambda layers: tb.RecomputingChain(layers, 1), 8, 2),
    ],
)
def test_eager_tapes_keep_one_member_at_a_time(make, calls, most):
    chain = make(members(network=_Watched, steps=4))
    gc.collect()
    _Watched.calls = _Watched.most = 0
    gradients(chain)
    assert _Watched.calls == calls
    assert _Watched.most <= most


_PEAK = """
import sys, threading, time
import numpy as np, tensorflow as tf
from tfflows import models

def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

steps, recompute = map(int, sys.argv[1:])
model = models.Glow([16, 16, 1], levels=1, steps=steps, width=64, recompute=bool(recompute))
x = np.random.default_rng(0).integers(0, 256, [512, 16, 16, 1], np.uint8)
model.initialize(x[:8])
model.compile("adam")
model.optimizer.build(model.trainable_variables)
spec = tf.TensorSpec([None, 16, 16, 1], tf.uint8)
step = tf.function(model.train_step).get_concrete_function(spec)
for _ in range(2):
    step(tf.constant(x[:2]))  # the graph has its memory
before, peak, done = rss(), [0.0], threading.Event()

def watch():
    while not done.wait(0.002):
        peak[0] = max(peak[0], rss())

thread = threading.Thread(target=watch)
thread.start()
step(tf.constant(x))
done.set()
thread.join()
print("peak", max(peak[0], rss()) - before)
"""


def _peak(steps, recompute):
    arguments = [sys.executable, "-c", _PEAK, str(steps), str(int(recompute))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    return float(re.search(r"peak (.*)", run.stdout)[1])


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc")
def test_memory_of_a_step_does_not_grow_with_the_depth():
    ordinary = _peak(12, False)
    shallow, deep = _peak(4, True), _peak(12, True)
    assert deep < 1.3 * shallow, (shallow, deep)
    assert deep < 0.5 * ordinary, (deep, ordinary)


def small_glow(number, **arguments):
    flow = models.Glow([4, 4, 1], levels=2, steps=1, width=4, **arguments)
    flow.initialize(np.random.default_rng(0).integers(0, 256, [8, 4, 4, 1], np.uint8))
    return shake(flow, number, 0.05)


def test_weights_with_and_without_load_into_each_other(tmp_path):
    x = np.random.default_rng(1).integers(0, 256, [4, 4, 4, 1], np.uint8)
    ordinary, recomputing = small_glow(0), small_glow(1, recompute=True)
    assert recomputing.get_config()["recompute"] and not ordinary.get_config()["recompute"]
    names = [[w.path.split("/")[-1] for w in f.weights] for f in (ordinary, recomputing)]
    assert names[0] == names[1]
    for source, target in ((ordinary, recomputing), (recomputing, small_glow(2))):
        path = str(tmp_path / "m.weights.h5")
        source.save_weights(path)
        assert np.abs(target.log_prob(x) - source.log_prob(x)).max() > 1e-2
        target.load_weights(path)
        np.testing.assert_allclose(target.log_prob(x), source.log_prob(x), rtol=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        lambda **kw: models.NICE([4, 4, 1], layers=2, hidden_units=(8,), **kw),
        lambda **kw: models.ImageRealNVP([4, 4, 1], scales=2, width=4, blocks=1, **kw),
        lambda **kw: models.Glow([4, 4, 1], levels=2, steps=1, width=4, classes=3, **kw),
        lambda **kw: models.FlowPlusPlus(
            [4, 4, 1],
            couplings=(1, 1, 1),
            components=2,
            width=4,
            blocks=1,
            heads=0,
            dropout=0.3,
            dequantization={"layers": 1, "width": 4, "blocks": 1, "components": 2},
            **kw,
        ),
    ],
)
def test_every_family_takes_the_option(build):
    x = np.random.default_rng(0).integers(0, 256, [6, 4, 4, 1], np.uint8)
    losses = []
    for recompute in (False, True):
        flow = build(recompute=recompute)
        context = () if flow.context_shape is None else (np.eye(3, dtype="float32")[[0, 1, 2] * 2],)
        flow.initialize(x, *context)
        chains = [b for b in flow.bijector.submodules if isinstance(b, tb.RecomputingChain)]
        chains += [b for b in [flow.bijector] if isinstance(b, tb.RecomputingChain)]
        assert bool(chains) == recompute
        shake(flow, scale=0.05)
        with tf.GradientTape() as tape, training_noise(0, 1):
            loss = -tf.reduce_sum(flow.log_prob_fn(tf.constant(x, tf.float32), *context))
        losses.append([loss, *tape.gradient(loss, [v.value for v in flow.trainable_variables])])
    assert_same(losses[1], losses[0], 2e-3)


def test_under_a_strategy_gradients_are_the_same():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        layers = members()
    variables = [v for v in raw_variables(tb.Chain(layers)) if v.trainable]
    x = tf.constant(np.random.default_rng(1).normal(size=[5, 4, 4, 1]), tf.float32)

    def step(chain):
        with tf.GradientTape() as tape:
            value, log_det = tb.inverse_and_log_det(chain, x, 3)
            loss = tf.reduce_sum(value**2) - tf.reduce_sum(log_det)
        return tape.gradient(loss, variables)

    chains = tb.RecomputingChain(layers), tb.Chain(layers)
    got, expected = (tf.function(lambda c=c: strategy.run(step, (c,)))() for c in chains)
    assert_same(got, expected)


def test_a_second_derivative_is_an_error():
    chain, x = tb.RecomputingChain(members()), tf.ones([2, 4, 4, 1])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tb.inverse_and_log_det(chain, x, 3)[0] ** 2)
        gradient = tape.gradient(loss, x)
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        outer.gradient(gradient, x)


def test_noise_in_one_direction_alone_is_an_error():
    def network(params):
        return networks.AutoregressiveNetwork(params, 3, (8,), dropout=0.5)

    layers = [tb.MaskedAutoregressive(3, tb.Affine(), network) for _ in range(2)]

    def gradient(**arguments):
        chain = tb.RecomputingChain(layers, **arguments)
        with tf.GradientTape() as tape, training_noise(0, 0):
            value, log_det = chain.inverse_and_log_det(tf.ones([4, 3]))
            loss = tf.reduce_sum(value**2) - tf.reduce_sum(log_det)
        return tape.gradient(loss, raw_variables(chain))

    with pytest.raises(ValueError, match="draws training noise in one direction only"):
        gradient()
    assert len(gradient(keep_every=1)) == len(raw_variables(tb.Chain(layers)))


@pytest.mark.parametrize("keep_every", [0, -1, True])
def test_keep_every_is_checked(keep_every):
    with pytest.raises(ValueError, match="keep_every: expected a positive number or None"):
        tb.RecomputingChain([tb.reversal(2)], keep_every)


def test_copies_and_empty_chains():
    chain = tb.RecomputingChain([tb.reversal(2)], keep_every=5)
    assert chain.copy(name="other").keep_every == 5
    with pytest.raises(ValueError, match="bijectors: expected at least one"):
        tb.RecomputingChain([])
