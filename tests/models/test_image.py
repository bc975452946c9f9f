"""Flows of images: bounds of integers, exact log-dets, initialisation, layouts."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import small_images
from tests.marks import some
from tests.small_images import IMAGES, images, initialized, shared
from tfflows import bijectors as tb
from tfflows import models, networks
from tfflows.bijectors import base as joint
from tfflows.models.bound import keyed_noise
from tfflows.models.flows.images import partitioned
from tfflows.random import row_keys
from zoo import registry

FLOWS = some(sorted(IMAGES), ("nice", "glow_classes", "glow_5_bits"))


@pytest.mark.parametrize("name", FLOWS)
def test_log_det_of_the_whole_flow_is_that_of_the_jacobian(name):
    model = shared(name)
    x, context = images(model, 3)
    y = tf.constant(x, tf.float32) / model._step + 0.37
    context = None if context is None else tf.constant(context)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y)
        z, log_det = joint.inverse_and_log_det(model.bijector, y, 3, context)
    size = math.prod(model.event_shape)
    jacobian = tape.batch_jacobian(z, y, experimental_use_pfor=False)
    expected = np.linalg.slogdet(np.reshape(jacobian, [3, size, size]).astype(np.float64))[1]
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-4)


def test_bound_of_all_two_bit_images_of_two_pixels_sums_to_less_than_one():
    """A bound of a probability: the sum over all images is below 1, and nears it with K."""
    model = models.NICE((1, 2, 1), layers=2, hidden_units=(8,), bits=2)
    rng = np.random.default_rng(0)
    model.initialize(rng.integers(0, 256, (64, 1, 2, 1)))
    for variable in model.trainable_variables:
        variable.assign_add(0.7 * rng.normal(size=variable.shape).astype("float32"))
    x = np.stack(np.meshgrid([0, 64, 128, 192], [0, 64, 128, 192]), -1)
    x = x.reshape(16, 1, 2, 1).astype("uint8")
    # The exact probability of each image is the density's integral over its square.
    cells = (np.arange(400) + 0.5) / 400
    noise = np.stack(np.meshgrid(cells, cells), -1).reshape(-1, 1, 2, 1)
    values = (x // 64).astype("float64")
    exact = [
        np.log(np.mean(np.exp(models.Flow.log_prob_fn(model, tf.constant(v + noise, tf.float32)))))
        for v in values
    ]
    bounds = {}
    for k in (1, 16, 1024):
        model.samples = k
        bounds[k] = model.log_prob(x).numpy()
    assert np.exp(exact).sum() < 1.0
    gaps = {k: np.mean(exact - bound) for k, bound in bounds.items()}
    assert gaps[16] < gaps[1] and abs(gaps[1024]) < 0.02, gaps
    assert gaps[1] > 0.01, gaps  # there was something to gain


@pytest.mark.slow
def test_bound_rises_with_the_number_of_draws():
    model = initialized("flowpp", scale=0.1)
    x, _ = images(model, 64)
    means = []
    for k in (1, 4, 16):
        model.samples = k
        means.append(model.log_prob(x).numpy().mean())
    assert means[0] < means[1] < means[2]


def test_density_of_the_variational_noise_is_exact():
    """Change of variables: log q(u | x) is log N(eps) less the log-det of du / d eps."""
    model = initialized("flowpp", scale=0.1)
    values = tf.constant(images(model, 3)[0], tf.float32)
    eps = tf.constant(np.random.default_rng(1).normal(size=values.shape), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(eps)
        noise, log_q = model.dequantization.sample(values, lambda quantile: eps)
    size = math.prod(model.event_shape)
    jacobian = tape.batch_jacobian(noise, eps, experimental_use_pfor=False)
    log_det = np.linalg.slogdet(np.reshape(jacobian, [3, size, size]).astype(np.float64))[1]
    log_normal = -0.5 * np.sum(np.square(eps), (1, 2, 3)) - size * 0.5 * math.log(2 * math.pi)
    np.testing.assert_allclose(log_q, log_normal - log_det, rtol=1e-4)
    assert float(tf.reduce_min(noise)) > 0 and float(tf.reduce_max(noise)) < 1
    other, _ = model.dequantization.sample(values + 20.0, lambda quantile: eps)
    assert np.abs(other - noise).max() > 1e-3  # it sees the image


def test_rows_of_noise_are_independent_and_keyed_by_the_row():
    model = shared("glow")
    x, _ = images(model, 500)
    values = tf.constant(x, tf.float32)
    noise = keyed_noise(values, row_keys(values))().numpy()
    assert abs(noise.mean() - 0.5) < 4 * math.sqrt(1 / 12 / noise.size)
    flat = noise.reshape(500, -1)
    assert abs(np.corrcoef(flat[:-1, 0], flat[1:, 0])[0, 1]) < 0.2
    other = x.copy()
    other[0, 0, 0, 0] ^= 1
    changed = keyed_noise(values, row_keys(tf.constant(other, tf.float32)))().numpy()
    np.testing.assert_array_equal(changed[1:], noise[1:])
    assert np.abs(changed[0] - noise[0]).mean() > 0.2
    assert np.abs(keyed_noise(values, row_keys(values), 1)().numpy() - noise).mean() > 0.2


def test_training_noise_is_fresh_and_a_function_of_seed_and_step():
    def losses(seed):
        model = models.Glow((4, 4, 1), levels=1, steps=1, width=4, seed=0)
        model.initialize(*images(model, 32))
        model.seed = seed
        model.compile(keras.optimizers.SGD(0.0))
        x = tf.data.Dataset.from_tensors(images(model, 8)[0]).repeat()
        return [model.fit(x, steps_per_epoch=1, verbose=0).history["loss"][0] for _ in range(2)]

    one = losses(1)
    assert one == losses(1)
    assert one[0] != losses(2)[0]
    assert one[0] != one[1]  # the same images, another step


@pytest.mark.parametrize("name", FLOWS)
def test_initialisation_gives_unit_variance_after_every_act_norm(name, monkeypatch):
    model = IMAGES[name]()
    seen = []
    start = tb.ActNorm.initialize_from

    def watch(self, values, inverse=True):
        start(self, values, inverse)
        out = joint.inverse_and_log_det(self, values, 3)[0]
        if not inverse:
            out = joint.forward_and_log_det(self, values, 3)[0]
        axes = list(range(out.shape.rank - self._rank))
        seen.append([np.mean(out, tuple(axes)), np.std(out, tuple(axes))])

    monkeypatch.setattr(tb.ActNorm, "initialize_from", watch)
    model.initialize(*images(model, 64))
    assert model.initialized and len(seen) == len(model._norms)
    for mean, std in seen:
        np.testing.assert_allclose(mean, 0.0, atol=1e-3)
        np.testing.assert_allclose(std, 1.0, atol=1e-2)


@pytest.mark.parametrize(
    "name",
    some(sorted(IMAGES), ["nice"]),
)
def test_training_lowers_the_loss(name):
    model = initialized(name, scale=0.02)
    x, context = images(model, 64)
    x = (x // 8).astype("uint8")  # something to learn
    model.compile(keras.optimizers.Adam(3e-3))
    rows = x if context is None else (x, context)
    data = tf.data.Dataset.from_tensor_slices(rows).batch(32).repeat()
    losses = model.fit(data, steps_per_epoch=5, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("flowpp_cifar10", 31_443_440, marks=pytest.mark.slow),
        pytest.param("flowpp_imagenet32", 168_955_724, marks=pytest.mark.slow),
        # Of the authors' count, 4 embeddings of the positions are of networks without attention.
        pytest.param("flowpp_imagenet64", 73_489_960 - 4 * 64 * 32 * 96, marks=pytest.mark.slow),
    ],
)
def test_flow_plus_plus_has_the_papers_number_of_parameters(name, expected):
    model = registry.build(name)
    assert sum(math.prod(v.shape) for v in model.trainable_variables) == expected


def test_layouts():
    def kinds(model):
        names = []
        for level in model.bijector.bijectors[1].levels:
            names.append([type(b).__name__ for b in level.bijectors])
        return names

    norm, masked, channels = "ActNorm", "MaskedCoupling", "ChannelCoupling"
    model = models.ImageRealNVP((8, 8, 1), scales=3, width=4, blocks=1)
    level = [norm, masked] * 3 + ["Squeeze"] + [norm, channels] * 3
    assert kinds(model) == [level, level, [norm, masked] * 4]
    assert model.bijector.bijectors[1].latent_shapes == [(4, 4, 2), (2, 2, 4), (2, 2, 4)]
    model = models.Glow((8, 8, 1), levels=2, steps=2, width=4)
    step = [norm, "InvertibleConvolution1x1", channels]
    assert kinds(model) == [["Squeeze"] + step * 2 + [channels], ["Squeeze"] + step * 2 + [norm]]


def test_partitions_as_the_lectures_print_them():
    good, bad = partitioned.CHECKERBOARD_AND_CHANNELS, partitioned.SIDES_TWICE
    assert [name for name, _ in itertools.groupby(good)] == [
        *("checkerboard", "squeeze", "channel", "unsqueeze", "checkerboard"),
    ]
    counts = [len(list(run)) for _, run in itertools.groupby(good)]
    assert counts == [4, 1, 3, 1, 3]
    assert bad == ("top", "bottom", "left", "right") * 2


BAD = [
    (lambda: models.Glow((4, 4)), "shape: expected"),
    (lambda: models.Glow((5, 4, 1), levels=1), "levels: too many"),
    (lambda: models.Glow((4, 4, 1), levels=3), "levels: too many"),
    (lambda: models.Glow((4, 4, 1), levels=0), "levels: expected"),
    (lambda: models.Glow((4, 4, 1), levels=1, coupling="cubic"), "coupling: expected"),
    (lambda: models.Glow((4, 4, 1), levels=1, convolution="cubic"), "convolution: expected"),
    (lambda: models.Glow((4, 4, 1), levels=1, bits=9), "bits: expected a whole number from 1 to 8"),
    (lambda: models.Glow((4, 4, 1), levels=1, bits=8.0), "bits: expected a whole number"),
    (lambda: models.ImageRealNVP((2, 2, 1), scales=2), "scales: a coupling of 1 x 1 x 2 numbers"),
    (lambda: models.NICE((1, 1, 1)), "shape: a coupling of 1 numbers would keep all or none"),
    (
        lambda: models.PartitionedRealNVP((1, 4, 1), partitions=("top",)),
        "partitions: a coupling of 1 x 4 x 1 numbers",
    ),
    (lambda: models.PartitionedRealNVP((4, 4, 1), partitions=(["top"],)), "partitions: expected"),
    (lambda: models.FlowPlusPlus((4, 4, 1), couplings=(0, 1, 1)), "couplings: expected a whole"),
    (lambda: models.FlowPlusPlus((4, 4, 1), couplings=("a", 1, 1)), "couplings: expected a whole"),
    (lambda: models.Glow((4, 4, 1), levels=1, classes=1), "classes: expected"),
    (lambda: models.Glow((4, 4, 1), levels=1, preprocessing="log"), "preprocessing: expected"),
    (lambda: models.Glow((4, 4, 1), levels=1, margin=0.6, preprocessing="logit"), "margin"),
    (lambda: models.Glow((4, 4, 1), levels=1, dequantization="none"), "dequantization: expected"),
    (lambda: models.Glow((4, 4, 1), layers=1), "layers: Glow has no such argument"),
    (lambda: models.Glow("441"), "shape: expected"),
    (lambda: models.Glow(8), "shape: expected"),
    (lambda: models.Glow((4, 4.5, 1)), "shape: expected"),
    (lambda: models.Glow((4, 4, 1), levels=1.5), "levels: expected a whole number, got 1.5"),
    (lambda: models.Glow((4, 4, 1), levels=True), "levels: expected a whole number, got True"),
    (lambda: models.Glow((4, 4, 1), classes=2.5), "classes: expected a whole number"),
    (lambda: models.Glow((4, 4, 1), margin="a"), "margin: expected a number"),
    (lambda: models.Glow((4, 4, 1), recompute="no"), "recompute: expected True or False"),
    (lambda: models.Glow((4, 4, 1), coupling=["affine"]), "coupling: expected a name"),
    (lambda: models.Glow((4, 4, 1), levels=1, bound=0.0), "bound: expected a positive number"),
    (lambda: models.Glow((4, 4, 1), levels=1, seed=0.5), "seed: expected a whole number from -"),
    (lambda: models.NICE((4, 4, 1), hidden_units=8), "hidden_units: expected a sequence, got 8"),
    (
        lambda: models.NICE(
            (4, 4, 1), hidden_units=(4,), dequantization={"kind": "variational", "layers": 0}
        ),
        "dequantization.layers: expected",
    ),
    (
        lambda: models.Glow((4, 4, 1), dequantization={"layer": 1}),
        "dequantization: expected entries among kind, layers, .* got 'layer'",
    ),
    (
        lambda: models.Glow((4, 4, 1), dequantization={"width": "wide"}),
        "dequantization.width: expected a whole number, got 'wide'",
    ),
    (
        lambda: models.Glow((4, 4, 1), dequantization=3),
        "dequantization: expected a name or a dict, got 3",
    ),
    (lambda: models.ImageRealNVP((7, 7, 1)), "scales: too many"),
    (
        lambda: models.PartitionedRealNVP((4, 4, 1), partitions=("diagonal",)),
        "partitions: expected names from checkerboard, channel, top",
    ),
    (lambda: models.PartitionedRealNVP((4, 4, 1), partitions=("squeeze",)), "partitions: expected"),
    (
        lambda: models.PartitionedRealNVP((4, 4, 1), partitions=("top", "unsqueeze")),
        "partitions: 1 channels cannot be unsqueezed",
    ),
    (
        lambda: models.FlowPlusPlus((4, 6, 1)),
        "shape: expected a height divisible by 2 and a width divisible by 4",
    ),
    (lambda: models.FlowPlusPlus((4, 4, 1), design="lsun"), "design: expected one of cifar10, "),
    (
        lambda: models.Glow(
            (4, 8, 1), levels=1, dequantization={"kind": "variational", "design": "lsun"}
        ),
        "dequantization.design: expected one of cifar10, ",
    ),
    (
        lambda: models.FlowPlusPlus((4, 8, 1), design="imagenet64"),
        "shape: expected a height divisible by 8 and a width divisible by 16",
    ),
    (lambda: models.FlowPlusPlus((4, 4, 1), couplings=(1, 1)), "couplings: expected 3 numbers"),
    (
        lambda: models.NICE((4, 3, 1), hidden_units=(4,), dequantization="variational"),
        "dequantization: variational needs an even width",
    ),
    (lambda: setattr(shared("glow"), "samples", 0), "samples: expected"),
    (lambda: setattr(shared("glow"), "samples", True), "samples: expected"),
    (lambda: shared("glow").encode(np.full([1, *small_images.SHAPE], 300.0)), "x: expected integ"),
    (lambda: shared("glow").encode(np.full([1, *small_images.SHAPE], 0.5)), "x: expected integers"),
    (lambda: shared("glow").encode(np.full([1, *small_images.SHAPE], math.nan)), "x: expected int"),
    (lambda: shared("glow").decode(np.full([1, 32], math.nan)), "z: expected finite numbers"),
    (lambda: shared("glow").interpolate(*np.zeros([2, *small_images.SHAPE]), 2.5), "steps: exp"),
    (lambda: shared("glow").interpolate(np.zeros([4, 4, 2]), np.zeros([4, 4]), 3), "x1: expected"),
    (
        lambda: shared("glow").interpolate(*np.full([2, *small_images.SHAPE], 0.5), 3),
        "x0: expected",
    ),
    (lambda: models.Glow((4, 4, 1), levels=1, base=5), "base: expected normal, logistic"),
    (lambda: shared("glow").manifold(np.zeros([4, *small_images.SHAPE]), "9"), "steps: expected"),
    (lambda: small_images.IMAGES["glow"]().initialize(np.full([4, 4, 4, 2], 0.5)), "x: expected i"),
    (lambda: small_images.IMAGES["glow"]().initialize(np.full([4, 4, 4, 2], 256)), "x: expected i"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_rows_that_cannot_initialise_leave_nothing_behind():
    flow, fresh = small_images.IMAGES["flowpp"](), small_images.IMAGES["flowpp"]()
    x, _ = images(flow)
    for bad in (x[:1], x / 255.0, np.where(np.arange(16)[:, None, None, None] == 3, math.nan, x)):
        with pytest.raises(ValueError, match="x: "):
            flow.initialize(bad)
    flow.initialize(x)
    fresh.initialize(x)
    np.testing.assert_allclose(flow.log_prob(x), fresh.log_prob(x), rtol=1e-5)


@pytest.mark.slow
def test_number_of_draws_reaches_keras():
    flow = initialized("glow")
    x, _ = images(flow)
    flow.compile("adam")
    for samples in (1, 8, 2):
        flow.samples = samples
        np.testing.assert_allclose(flow.predict(x, verbose=0), flow.log_prob(x), rtol=1e-5)
        loss = flow.evaluate(x, verbose=0)
        assert loss == pytest.approx(-np.mean(flow.log_prob(x)), rel=1e-5)


def test_couplings_refuse_events_of_unknown_lengths():
    """A length that turns out as 1 would broadcast against the mask."""
    coupling = tb.MaskedCoupling(
        tb.checkerboard_mask((4, 4, 1)), tb.Affine(), lambda n: networks.ConvNet(n, 4)
    )
    inverse = tf.function(coupling.inverse)
    with pytest.raises(ValueError, match=r"event: masked_coupling needs a known shape, got .*None"):
        inverse.get_concrete_function(tf.TensorSpec([2, None, 4, 1]))
