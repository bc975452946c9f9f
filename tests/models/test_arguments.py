"""Precision, seeds, and rows that `fit` cannot train on."""

import resource

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfflows
from tests import small_images
from tfflows import bijectors as tb
from tfflows import models
from tfflows.models import feeding

SMALL = {"layers": 1, "hidden_units": (4,)}


@pytest.mark.parametrize(
    "make",
    [
        lambda **more: models.NSF(2, **more),
        lambda **more: models.MAF(2, **more),
        lambda **more: models.AffineFlow(2, **more),
        lambda **more: models.Glow((4, 4, 1), levels=1, steps=1, width=4, **more),
        lambda **more: models.NICE((4, 4, 1), layers=2, hidden_units=(4,), **more),
    ],
)
def test_float64_is_an_error_that_says_what_is_supported(make):
    with pytest.raises(ValueError, match="precision: expected one of float32, mixed_float16.*'flo"):
        make(precision="float64")
    with pytest.raises(ValueError, match="precision: expected one of float32"):
        make(precision="float23")
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        with pytest.raises(ValueError, match="precision: .*got 'float64', Keras's global policy"):
            make()
        assert make(precision="float32").get_config()["precision"] == "float32"
        for other in (
            lambda: tfflows.Flow(tb.LULinear(2), [2]),
            lambda: models.Histogram(2),
            lambda: models.GaussianMixture(2),
        ):
            with pytest.raises(ValueError, match="precision: models compute in float32"):
                other()
    finally:
        keras.config.set_dtype_policy(previous)


@pytest.mark.parametrize(
    "seed", [np.int8(7), np.uint64(7), np.array(7), np.int64(7), tf.constant(7), 7]
)
def test_seeds_of_any_integer_type(seed):
    flow, same = models.RealNVP(2, **SMALL, seed=seed), models.RealNVP(2, **SMALL, seed=7)
    assert flow.get_config()["seed"] == 7 and type(flow.get_config()["seed"]) is int
    for a, b in zip(flow.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x = np.random.default_rng(0).normal(size=(64, 2))
    flow.compile("adam")
    flow.fit(x, verbose=0)
    np.testing.assert_array_equal(flow.sample(3, seed=seed), flow.sample(3, seed=7))


@pytest.mark.parametrize("seed", [2**63 - 1, -1, -(2**63), 2**40 + 1, np.int64(2**62)])
def test_seeds_of_any_size(seed):
    flow = models.RealNVP(2, **SMALL, seed=seed)
    assert flow.seed == seed
    other = models.RealNVP(2, **SMALL, seed=1)
    assert any((a != b).any() for a, b in zip(flow.get_weights(), other.get_weights(), strict=True))
    again = models.RealNVP.from_config(flow.get_config())
    for a, b in zip(flow.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x = np.random.default_rng(0).normal(size=(64, 2))
    flow.compile("adam")
    flow.fit(x, verbose=0)
    assert np.isfinite(flow.sample(3, seed=seed)).all()
    models.Glow((4, 4, 1), levels=1, steps=1, width=4, seed=seed)


@pytest.mark.parametrize("seed", [2**63, 1.5, "1", None, True, np.array([1, 2])])
def test_other_seeds_are_an_error(seed):
    for make in (
        lambda: models.RealNVP(2, **SMALL, seed=seed),
        lambda: models.Glow((4, 4, 1), seed=seed),
        lambda: models.Histogram(2, seed=seed),
    ):
        with pytest.raises(ValueError, match="seed: expected a whole number"):
            make()


@pytest.mark.parametrize("actnorm", [True, False])
def test_rows_that_fit_cannot_train_on(actnorm):
    flow = models.RealNVP(2, **SMALL, actnorm=actnorm)
    flow.compile("adam")
    good = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    bad = good.copy()
    bad[70, 1] = np.nan
    dataset = tf.data.Dataset.from_tensor_slices(good[:, :1]).batch(10)
    for rows, message in (
        (good[:, :1], r"x: expected shape \[batch, 2\], got \(100, 1\)"),
        (np.ones((100, 3)), r"x: expected shape \[batch, 2\], got \(100, 3\)"),
        (dataset, r"x: expected shape \[batch, 2\], got \(None, 1\)"),
        (bad, "x: expected finite rows, got NaN or infinity in row 70"),
        (tf.constant(bad), "x: expected finite rows, got NaN or infinity in row 70"),
    ):
        with pytest.raises(ValueError, match=message):
            flow.fit(rows, verbose=0)
    with pytest.raises(ValueError, match=r"x: expected shape \[batch, 2\], got \(100, 1\)"):
        flow.evaluate(good[:, :1], verbose=0)
    glow = small_images.IMAGES["glow"]()
    glow.compile("adam")
    with pytest.raises(ValueError, match="x: expected integers 0 to 255, got .* in row 3"):
        glow.fit(np.where(np.arange(8)[:, None, None, None] == 3, 0.5, np.ones((8, 4, 4, 2))))


def test_some_rows_initialise_from_a_big_array():
    x = np.random.default_rng(0).normal(5.0, 3.0, size=(20_000, 2))
    assert feeding.initial_count((2,)) == 4096 and feeding.initial_count((32, 32, 3)) == 85
    some, none = feeding.some_rows([x, None], 4096)
    assert some.shape == (4096, 2) and none is None
    np.testing.assert_array_equal(feeding.some_rows([x, None], 4096)[0], some)
    seen = []
    flow = models.RealNVP(2, **SMALL)
    initialize = flow.initialize
    flow.initialize = lambda x, context=None: (seen.append(len(x)), initialize(x, context))
    flow.compile(keras.optimizers.SGD(0.0))
    flow.fit(x, verbose=0, batch_size=5000)
    assert seen == [4096]
    latents = flow.encode(x).numpy()
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=0.05)
    np.testing.assert_allclose(latents.std(axis=0), 1.0, atol=0.05)


def test_small_batches_initialise_together_and_generators_are_not_consumed():
    x = np.random.default_rng(0).normal(5.0, 3.0, size=(6400, 2)).astype(np.float32)
    flow = models.RealNVP(2, **SMALL)
    flow.compile(keras.optimizers.SGD(0.0))
    flow.fit(tf.data.Dataset.from_tensor_slices(x).batch(32), verbose=0)
    latents = flow.encode(x[:4096]).numpy()
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=1e-3)  # one batch: 0.18
    np.testing.assert_allclose(latents.std(axis=0), 1.0, atol=1e-3)
    flow = models.RealNVP(2, **SMALL)
    flow.compile("adam")
    generator = ((x[i : i + 64],) for i in range(0, 640, 64))
    flow.fit(generator, verbose=0)
    # Keras meets the batch it looks at first twice, of any generator.
    assert int(flow.optimizer.iterations) in (10, 11)


def test_initialising_from_images_takes_bounded_memory():
    model = models.Glow((16, 16, 3), levels=2, steps=1, width=16)
    model.compile("adam")
    x = np.random.default_rng(0).integers(0, 256, (4000, 16, 16, 3)).astype(np.uint8)
    model.initialize(*feeding.some_rows([x, None], 32))  # what tracing takes, once
    model = models.Glow((16, 16, 3), levels=2, steps=1, width=16)
    model.compile("adam")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model._prepared(x, None)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert model.initialized and grown < 150  # MiB; from all rows some 500


class Density(keras.Model):
    """A model of a user's own."""

    def __init__(self):
        super().__init__()
        flow = tb.Chain([tb.LULinear(2), tb.ActNorm(2)])
        self.flow = tfflows.BijectorLayer(flow)

    def call(self, y):
        """Log-density."""
        z, log_det = self.flow(y)
        return -0.5 * tf.reduce_sum(z**2, -1) - np.log(2 * np.pi) + log_det


def test_a_bijector_in_a_layer_of_the_users_own_trains(tmp_path):
    model = Density()
    y = np.random.default_rng(0).normal([1.0, -1.0], [2.0, 0.5], size=(512, 2)).astype(np.float32)
    assert len(model.flow.trainable_variables) == 6
    assert {id(v.value) for v in model.flow.trainable_variables} == {
        id(v) for v in model.flow.bijector.trainable_variables
    }
    before = [v.numpy() for v in model.flow.trainable_variables]
    model.compile(keras.optimizers.Adam(0.05), loss=lambda _, log_prob: -log_prob)
    losses = model.fit(y, np.zeros(512), epochs=15, batch_size=64, verbose=0).history["loss"]
    exact = np.log(2 * np.pi) + 1.0  # the entropy: log 2 + log 0.5 is 0
    assert losses[0] > losses[-1] and losses[-1] == pytest.approx(exact, abs=0.1)
    moved = [
        (v.numpy() != b).all() for v, b in zip(model.flow.trainable_variables, before, strict=True)
    ]
    assert all(moved)
    model.save_weights(tmp_path / "m.weights.h5")
    again = Density()
    again(y[:1])
    again.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(again(y), model(y), rtol=1e-6)
    x, log_det = model.flow.forward(model.flow(y)[0])
    np.testing.assert_allclose(x, y, atol=1e-4)
    np.testing.assert_allclose(log_det, -model.flow(y)[1], rtol=1e-5)
    with pytest.raises(ValueError, match="bijector: expected a TFP bijector, got int"):
        tfflows.BijectorLayer(3)
