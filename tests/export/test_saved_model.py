"""`export.save`: signatures, card, and every model that it refuses."""

import json
import os
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import export
import tfflows
from export import checks
from tests.export.conftest import FAMILIES
from tests.marks import some
from tests.small_flows import shake


def specs(named):
    return {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in named.items()}


def load(path):
    return tf.saved_model.load(path).signatures


def log_prob(path, x):
    return load(path)["log_prob"](x=tf.constant(x, tf.float32))["log_prob"].numpy()


def test_signatures_have_names_types_and_an_open_batch(exported):
    found = checks.signatures(exported.path)
    event = [None, *exported.model.event_shape]
    kind = exported.model.event_dtype.name
    x = {"x": (kind, event)}
    draw = {"seed": ("int64", [None, 2])}
    if exported.model.supports_temperature:
        draw["temperature"] = ("float32", [None])
    context = {}
    if exported.model.context_shape is not None:
        context = {"context": ("float32", [None, *exported.model.context_shape])}
    scores = {"log_prob": ("float32", [None])}
    expected = {
        "log_prob": ({**x, **context}, scores),
        "serving_default": ({**x, **context}, scores),
        "sample": ({**draw, **context}, {"samples": (kind, event)}),
    }
    if exported.model.has_latents:
        z = {"z": ("float32", [None, *exported.model.latent_shape])}
        expected |= {"encode": ({**x, **context}, z), "decode": ({**z, **context}, x)}
    assert {n: (specs(s.inputs), specs(s.outputs)) for n, s in found.items()} == expected


@pytest.mark.parametrize("name", some(FAMILIES, ("normal", "beta")))
def test_only_a_normal_base_has_a_temperature(exports, name):
    inputs = checks.signatures(exports(name).path)["sample"].inputs
    without = ("uniform", "beta", "integers", "categories", "sets", "graphs", "nodes")
    assert ("temperature" in inputs) == (name not in without)


def test_the_export_is_complete_and_passes_the_check(exported):
    export.check(exported.path)
    assert os.path.basename(exported.path) == "1"
    assert {"saved_model.pb", "fingerprint.pb", "variables", "assets.extra"} <= set(
        os.listdir(exported.path)
    )
    assert os.listdir(os.path.dirname(exported.path)) == ["1"]


def test_the_card_goes_with_it_and_says_what_made_it(model, tmp_path):
    path = export.save(model, tmp_path, card={"name": "affine", "test": {"nats": -1.5}})
    with open(os.path.join(path, "assets.extra", "card.json")) as stream:
        card = json.load(stream)
    manifest = card.pop("export")
    assert card == {"name": "affine", "test": {"nats": -1.5}}
    assert manifest["versions"]["tensorflow"] == tf.__version__
    assert set(manifest["signatures"]) == set(load(path))
    fingerprint = tf.saved_model.experimental.read_fingerprint(path)
    assert int(manifest["fingerprint"]["checkpoint_hash"], 16) == fingerprint.checkpoint_hash
    assert len(manifest["fingerprint"]) == 4


def test_equal_exports_have_equal_fingerprints_and_others_have_not(model, tmp_path):
    def fingerprint(path):
        with open(os.path.join(path, "assets.extra", "card.json")) as stream:
            return json.load(stream)["export"]["fingerprint"]

    first = fingerprint(export.save(model, tmp_path, 1))
    assert fingerprint(export.save(model, tmp_path, 2)) == first
    shake(model)
    assert (
        fingerprint(export.save(model, tmp_path, 3))["checkpoint_hash"]
        != (first["checkpoint_hash"])
    )


def test_without_a_card_a_few_facts_are_written(exported):
    with open(os.path.join(exported.path, "assets.extra", "card.json")) as stream:
        card = json.load(stream)
    assert card["model"] == type(exported.model).__name__
    assert card["event_shape"] == list(exported.model.event_shape)
    assert card["parameters"] > 0


def test_a_version_is_a_copy_that_later_training_leaves_alone(model, tmp_path):
    x = np.ones([3, 2], np.float32)
    before = model.log_prob(x).numpy()
    path = export.save(model, tmp_path)
    shake(model)
    np.testing.assert_allclose(log_prob(path, x), before, rtol=1e-5)
    assert export.save(model, tmp_path, overwrite=True) == path
    np.testing.assert_allclose(log_prob(path, x), model.log_prob(x), rtol=1e-5)
    assert os.listdir(tmp_path) == ["1"]


def test_a_model_trained_with_xla_is_exported_without(tmp_path):
    model = tfflows.models.RealNVP(2, layers=2, hidden_units=(16,))
    model.compile("adam", jit_compile=True)
    x = np.random.default_rng(0).standard_normal([64, 2]).astype(np.float32)
    model.fit(tf.data.Dataset.from_tensors(x).repeat(3), verbose=0)
    path = export.save(model, tmp_path)  # which checks it
    np.testing.assert_allclose(log_prob(path, x), model.log_prob(x), rtol=1e-4, atol=1e-5)


def test_mixed_precision_stays_inside(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = tfflows.models.RealNVP(2, layers=2, hidden_units=(16,), actnorm=False)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    shake(model)
    x = np.random.default_rng(0).standard_normal([8, 2]).astype(np.float32)
    path = export.save(model, tmp_path)
    np.testing.assert_allclose(log_prob(path, x), model.log_prob(x), rtol=1e-4, atol=1e-4)


def test_a_model_made_under_a_strategy_is_exported(tmp_path):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = tfflows.models.RealNVP(2, layers=2, hidden_units=(16,), actnorm=False)
    shake(model)
    x = np.ones([2, 2], np.float32)
    path = export.save(model, tmp_path)
    np.testing.assert_allclose(log_prob(path, x), model.log_prob(x), rtol=1e-4, atol=1e-5)


def test_a_flow_over_any_bijector_of_tfp_is_exported(tmp_path):
    import tensorflow_probability as tfp

    scale = tfp.bijectors.Scale(tf.Variable([2.0, 0.5]))
    model = tfflows.models.Flow(scale, event_shape=[2])
    path = export.save(model, tmp_path)
    x = np.ones([2, 2], np.float32)
    np.testing.assert_allclose(log_prob(path, x), model.log_prob(x), rtol=1e-5)


# What is refused, with nothing left behind.


def refuses(message, directory, *args, **kwargs):
    with pytest.raises(ValueError, match=message) as caught:
        export.save(*args, directory, **kwargs)
    assert "\n" not in str(caught.value)
    assert not os.path.exists(directory) or not os.listdir(directory)


def test_what_is_no_density_model_is_refused(tmp_path):
    refuses("model: expected a DensityModel, got Sequential", tmp_path, keras.Sequential())


def test_an_uninitialised_model_is_refused(tmp_path):
    model = tfflows.models.RealNVP(2, layers=1, hidden_units=(4,))
    refuses("model: expected an initialised model, got one that has seen no data", tmp_path, model)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_is_refused(model, tmp_path, value):
    weight = model.trainable_weights[0]
    weight.assign(np.full(weight.shape, value))
    refuses(f"model: .*NaN or inf in {re.escape(weight.path)}", tmp_path, model)


@pytest.mark.parametrize("card", [{"nats": float("nan")}, {"x": object()}, ["x"]])
def test_a_card_that_is_not_json_is_refused(model, tmp_path, card):
    refuses("card: expected", tmp_path, model, card=card)


def test_a_graph_that_cannot_be_served_is_refused(model, tmp_path):
    model.log_prob_fn = tf.function(model.log_prob_fn, jit_compile=True)
    refuses("compiled with XLA", tmp_path / "served", model)


def test_versions_and_directories_are_checked(model, tmp_path):
    refuses("version: expected a positive integer, got 0", tmp_path, model, version=0)
    export.save(model, tmp_path / "model")
    with pytest.raises(ValueError, match="version: .*1 exists"):
        export.save(model, tmp_path / "model")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="directory: expected a folder"):
        export.save(model, tmp_path / "file")
