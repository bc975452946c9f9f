"""Columns far from 0 beside their spread, such as times: float32 has no digits left for them."""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import export
from tests.marks import some
from tfflows import bijectors as tb
from tfflows import models
from tfflows.bijectors.normalization import initialize
from tfflows.data import table
from tfflows.data.pipeline import evaluation_dataset, training_dataset

SIZE = 2000


def times(n=SIZE):
    """Julian dates of one day, uniform, beside a standard normal column: entropy 1.419 nats."""
    rng = np.random.default_rng(0)
    return np.stack([2460310.5 + rng.uniform(size=n), rng.normal(size=n)], axis=1)


def of_seconds():
    flow = models.AffineFlow(1, standardize=True)
    flow.set_standardization([1.7e9], [600.0])
    flow.initialize(1.7e9 + 600.0 * np.random.default_rng(0).normal(size=(8, 1)))
    return flow


def right(x):
    """The density of `of_seconds`."""
    z = (np.asarray(x)[:, 0] - 1.7e9) / 600.0
    return -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(600.0)


X = [[1.7e9 + 60.0], [1.7e9]]


def test_the_density_is_of_the_row_and_not_of_its_float32():
    flow = of_seconds()
    np.testing.assert_allclose(right(X), [-7.3209, -7.3159], atol=1e-4)
    for x in (X, np.array(X), tf.constant(X, tf.float64), np.array(X, np.int64)):
        np.testing.assert_allclose(flow.log_prob(x), right(X), atol=1e-5)
    np.testing.assert_allclose(flow.distribution.log_prob(X), right(X), atol=1e-5)
    np.testing.assert_allclose(flow.encode(X), [[0.1], [0.0]], atol=1e-6)
    np.testing.assert_allclose(flow.decode([[0.1], [0.0]]), X, rtol=1e-13)
    np.testing.assert_allclose(flow.interpolate(X[1], X[0], 3)[1], [1.7e9 + 30.0], rtol=1e-13)
    np.testing.assert_allclose(-flow.predict(np.array(X), verbose=0), -right(X), atol=1e-5)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_samples_are_in_full_precision(batch_size):
    flow = of_seconds()
    flow.use_xla(batch_size)
    x, log_prob = flow.sample_and_log_prob(50, seed=1)
    assert x.dtype == tf.float64 and len(np.unique(x)) == 50
    np.testing.assert_array_equal(x, flow.sample(50, seed=1))
    np.testing.assert_allclose(log_prob, right(x), atol=1e-5)
    np.testing.assert_allclose(flow.log_prob(x), right(x), atol=1e-5)
    assert np.abs(np.asarray(x) - np.float32(x)).max() > 10  # not on the grid of float32, of 128
    drawn = flow.distribution.sample(50, seed=1)
    assert drawn.dtype == tf.float64 and len(np.unique(drawn)) == 50


def test_float32_that_cannot_hold_the_data_is_refused():
    flow = of_seconds()
    with pytest.raises(ValueError, match="x: expected float64, since float32 is too coarse"):
        flow.log_prob(np.float32(X))
    flow.compile("adam")
    with pytest.raises(ValueError, match="x: expected float64"):
        flow.fit(np.float32(X), verbose=0)
    # What float32 holds it may hold.
    flow.set_standardization([100.0], [2.0])
    assert flow.event_dtype == tf.float32 == flow.sample(1, seed=0).dtype
    low = flow.log_prob(np.float32([[101.0]])).numpy()
    np.testing.assert_allclose(flow.log_prob([[101.0]]), low, rtol=1e-6)


@pytest.mark.parametrize("model", [models.Gaussian, models.GaussianMixture, models.Histogram])
def test_models_that_are_estimated(model):
    x = times()
    more = {"components": 2} if model is models.GaussianMixture else {}
    fitted = model(2, standardize=True, **more)
    fitted.set_standardization(x.mean(axis=0), x.std(axis=0))
    fitted.estimate(x)
    draws = fitted.sample(500, seed=0)
    assert draws.dtype == tf.float64 and len(np.unique(draws[:, 0])) == 500
    # Within the loss of a Gaussian for the uniform column: 0.18 nats.
    assert -1.65 < np.mean(fitted.log_prob(x)) < -1.25


@pytest.mark.parametrize("how", some(("array", "dataset"), ["dataset"]))
def test_training_sees_the_rows_and_not_their_float32(how):
    x = times()
    flow = models.NSF(2, layers=2, hidden_units=(32,), standardize=True, linear="none", seed=0)
    flow.set_standardization(x.mean(axis=0), x.std(axis=0))
    flow.compile("adam")
    if how == "array":
        flow.fit(x, batch_size=256, epochs=1, verbose=0, validation_data=(x[:100],))
        history = flow.fit(x, batch_size=256, epochs=20, verbose=0, validation_split=0.1).history
        assert abs(history["val_loss"][-1] - history["loss"][-1]) < 0.15
    else:
        flow.fit(training_dataset(x, 256, seed=0), epochs=1, steps_per_epoch=160, verbose=0)
    mean = np.mean(flow.log_prob(x))
    assert -1.52 < mean < -1.35  # 8 distinct dates would score +3
    assert flow.evaluate(x, verbose=0) == pytest.approx(-mean, abs=1e-3)
    assert flow.evaluate(evaluation_dataset(x, 300), verbose=0) == pytest.approx(-mean, abs=1e-3)
    draws = flow.sample(2000, seed=0).numpy()[:, 0]
    assert len(np.unique(draws)) == 2000
    assert abs(np.mean(draws) - 2460311.0) < 0.05 and abs(np.std(draws) - 12**-0.5) < 0.03


def test_a_model_that_does_not_standardise_names_the_column():
    x = times(100)[:, ::-1]
    for flow in (models.RealNVP(2, layers=1), models.RealNVP(2, layers=1, standardize=True)):
        flow.compile("adam")
        for call in (flow.initialize, lambda x, flow=flow: flow.fit(x, verbose=0)):
            with pytest.raises(ValueError, match="x: column 1 varies too little .*standardize=Tr"):
                call(x)


def test_tables_keep_their_digits():
    x = times(100)
    splits = table.prepare(table.Table(x, ["t", "v"]))
    np.testing.assert_array_equal(
        np.sort(np.concatenate([splits.train[:, 0], splits.validation[:, 0], splits.test[:, 0]])),
        np.sort(x[:, 0]),
    )
    assert next(iter(evaluation_dataset(x, 10))).dtype == tf.float64


def test_the_export_takes_and_gives_float64(tmp_path):
    flow = of_seconds()
    signatures = tf.saved_model.load(export.save(flow, tmp_path)).signatures
    x = tf.constant(X, tf.float64)
    np.testing.assert_allclose(signatures["log_prob"](x=x)["log_prob"], right(X), atol=1e-5)
    seed = tf.constant([[3, 0], [3, 1]], tf.int64)
    samples = signatures["sample"](seed=seed, temperature=tf.ones(2))["samples"]
    assert samples.dtype == tf.float64
    np.testing.assert_allclose(samples, flow.sample(2, seed=3), rtol=1e-13)
    z = signatures["encode"](x=x)["z"]
    assert z.dtype == tf.float32
    np.testing.assert_allclose(signatures["decode"](z=z)["x"], X, rtol=1e-13)
    with pytest.raises((TypeError, ValueError, tf.errors.InvalidArgumentError)):
        signatures["log_prob"](x=tf.cast(x, tf.float32))


def test_statistics_survive_saving_and_old_files_load(tmp_path):
    flow = of_seconds()
    flow.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.event_dtype == tf.float64
    np.testing.assert_array_equal(again.log_prob(X), flow.log_prob(X))
    # Files from before held float32.
    flow = models.AffineFlow(2, standardize=True)
    flow.set_standardization([0.1, 20.0], [0.3, 4.0])
    path = tmp_path / "m.weights.h5"
    flow.save_weights(path)
    expected = flow.log_prob([[0.2, 21.0]])
    with h5py.File(path, "r+") as file:
        names = []
        file.visititems(lambda name, item: names.append(name))
        wide = [n for n in names if getattr(file[n], "dtype", None) == np.float64]
        assert len(wide) == 2
        for name in wide:
            value = file[name][()].astype(np.float32)
            del file[name]
            file[name] = value
    old = models.AffineFlow(2, standardize=True)
    old.load_weights(path)
    np.testing.assert_allclose(old.log_prob([[0.2, 21.0]]), expected, rtol=1e-6)
    assert old.event_dtype == tf.float32


@pytest.mark.parametrize(
    ("mean", "std"), [(0.0, 1e-3), (0.0, 1e-4), (101325.0, 1.0), (1e-3, 1e-6), (5.0, 3e4)]
)
def test_act_norm_takes_its_statistics_in_float64(mean, std):
    values = (mean + std * np.random.default_rng(0).normal(size=(4000, 1))).astype(np.float32)
    for inverse in (True, False):
        norm = tb.ActNorm(1)
        norm.initialize_from(tf.constant(values), inverse)
        latents = (norm.inverse if inverse else norm.forward)(values).numpy().astype(np.float64)
        assert abs(latents.mean()) < 0.02 and abs(latents.std() - 1.0) < 0.01
    flow = models.RealNVP(2, layers=1)
    flow.initialize(np.concatenate([values, values[::-1]], axis=1))
    latents = flow.encode(np.concatenate([values, values[::-1]], axis=1)).numpy()
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=0.02)
    np.testing.assert_allclose(latents.std(axis=0), 1.0, atol=0.01)


@pytest.mark.parametrize("constant", [0.0, 0.1, 101325.0, -1e-20])
def test_act_norm_keeps_the_scale_of_what_is_constant(constant):
    values = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    values[:, 1] = constant
    norm = tb.ActNorm(2)
    norm.initialize_from(values)
    assert norm.log_scale[1] == 0.0 and norm.shift[1] == np.float32(constant)
    assert abs(norm.inverse(values).numpy()[:, 0].std() - 1.0) < 1e-3


def test_act_norm_of_images_and_halves():
    images = np.random.default_rng(0).normal(7.0, 1e-4, size=(500, 2, 3, 2)).astype(np.float32)
    norm = tb.ActNorm((2, 3, 2))
    norm.initialize_from(images)
    np.testing.assert_allclose(norm.inverse(images).numpy().std(axis=0), 1.0, atol=1e-3)
    scales = tb.MultiScale((2, 4, 1), [tb.Chain([tb.Squeeze(), tb.ActNorm(4)]), tb.ActNorm(2)])
    halves = tb.ChannelBlockwise(tb.ActNorm(1), tb.ActNorm(1))
    for bijector, shape in ((scales, (500, 2, 4, 1)), (halves, (500, 2))):
        values = np.random.default_rng(0).normal(101325.0, 1.0, size=shape).astype(np.float32)
        latents = initialize(bijector, tf.constant(values), len(shape) - 1).numpy()
        assert abs(latents.mean()) < 0.02 and abs(latents.std() - 1.0) < 0.01
