"""Weights and whole models come back with the same log-probabilities, in a new process too."""

import json
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests import small_flows
from tfflows import Flow, models


def _points(flow):
    return np.random.default_rng(0).uniform(0.1, 0.9, (5, *flow.event_shape)).astype("float32")


@pytest.mark.slow
def test_in_a_new_process(tmp_path):
    """Random permutations, masks, statistics: nothing is left behind in the old process."""
    flows = {
        "maf": models.MAF(
            5, layers=3, hidden_units=(8, 8), linear="permute", standardize=True, seed=7
        ),
        "nsf": models.NSF(3, layers=2, hidden_units=(8,), bins=4, linear="lu", seed=5),
    }
    flows["maf"].set_standardization(np.arange(5.0), np.arange(1.0, 6.0))
    expected = {}
    for name, flow in flows.items():
        small_flows.shake(flow)
        flow.initialize(np.random.default_rng(1).normal(size=(50, *flow.event_shape)))
        flow.save(tmp_path / f"{name}.keras")
        flow.save_weights(tmp_path / f"{name}.weights.h5")
        config = {"class": type(flow).__name__, "config": flow.get_config()}
        (tmp_path / f"{name}.json").write_text(json.dumps(config))
        expected[name] = flow.log_prob(_points(flow)).numpy().tolist()
    script = textwrap.dedent(
        """
        import json, pathlib, sys
        import keras, numpy as np
        from tfflows import models
        folder, result = pathlib.Path(sys.argv[1]), {}
        for name in ("maf", "nsf"):
            whole = keras.saving.load_model(folder / f"{name}.keras")
            x = np.random.default_rng(0).uniform(0.1, 0.9, (5, *whole.event_shape))
            described = json.loads((folder / f"{name}.json").read_text())
            by_weights = getattr(models, described["class"])(**described["config"])
            by_weights.load_weights(folder / f"{name}.weights.h5")
            result[name] = [m.log_prob(x).numpy().tolist() for m in (whole, by_weights)]
        print(json.dumps(result))
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    for name, values in result.items():
        for got in values:
            np.testing.assert_allclose(got, expected[name], atol=1e-5)


def test_a_saved_model_goes_on_training(tmp_path):
    flow = small_flows.FLOWS["realnvp"]()
    flow.compile(keras.optimizers.Adam(1e-2))
    x = np.random.default_rng(0).normal(2, 3, (64, 2)).astype("float32")
    data = tf.data.Dataset.from_tensors(x).repeat()
    flow.fit(data, steps_per_epoch=5, verbose=0)
    flow.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert int(loaded.optimizer.iterations) == 5
    for model in (flow, loaded):
        model.fit(data, steps_per_epoch=5, verbose=0)
    for a, b in zip(flow.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)


def test_weights_are_of_the_model_alone(tmp_path, recwarn):
    fresh, trained = small_flows.FLOWS["maf"](), small_flows.FLOWS["maf"]()
    trained.compile(keras.optimizers.Adam(1e-2))
    x = np.random.default_rng(0).normal(2, 3, (64, 2)).astype("float32")
    trained.fit(x, verbose=0)
    for name, flow in (("fresh", fresh), ("trained", trained)):
        flow.save_weights(tmp_path / f"{name}.weights.h5")
    sizes = [(tmp_path / f"{n}.weights.h5").stat().st_size for n in ("fresh", "trained")]
    assert sizes[0] == sizes[1]
    fresh.load_weights(tmp_path / "trained.weights.h5")
    np.testing.assert_allclose(fresh.log_prob(x), trained.log_prob(x), atol=1e-6)
    steps = int(trained.optimizer.iterations)
    trained.load_weights(tmp_path / "fresh.weights.h5")
    assert int(trained.optimizer.iterations) == steps > 0
    assert not [w for w in recwarn if "optimizer" in str(w.message)]


def test_precision_is_part_of_a_saved_model(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = small_flows.shake(models.NSF(2, layers=2, hidden_units=(16,), bins=4))
    finally:
        keras.config.set_dtype_policy("float32")
    expected = mixed.log_prob(_points(mixed)).numpy()
    mixed.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.log_prob(_points(mixed)), expected, atol=1e-6)
    assert keras.config.dtype_policy().name == "float32"
    plain = models.NSF(2, layers=2, hidden_units=(16,), bins=4)
    plain.set_weights(mixed.get_weights())
    assert np.abs(plain.log_prob(_points(mixed)) - expected).max() > 1e-5


def test_a_target_density_is_not_forgotten_in_silence(tmp_path):
    """Loaded, such a model is not compiled: it would train on another objective."""
    flow = models.AffineFlow(2)
    flow.compile("adam", target_log_prob=lambda x: -tf.reduce_sum(tf.square(x), -1))
    flow.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert not loaded.compiled
    np.testing.assert_allclose(loaded.log_prob(_points(flow)), flow.log_prob(_points(flow)))


def test_a_flow_over_anything_has_weights_but_no_config(tmp_path):
    def build():
        return Flow(tfp.bijectors.Shift(tf.Variable([0.0, 0.0])), [2])

    flow = build()
    flow.trainable_variables[0].assign([3.0, 4.0])
    flow.save_weights(tmp_path / "m.weights.h5")
    other = build()
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other.bijector.shift.numpy(), [3.0, 4.0])
    with pytest.raises(ValueError, match="a Flow over shift cannot be written as a config"):
        flow.save(tmp_path / "m.keras")
    assert not (tmp_path / "m.keras").exists()


def test_foreign_weights_are_refused(tmp_path):
    models.MAF(2, layers=1, hidden_units=(4,)).save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError):
        models.MAF(2, layers=2, hidden_units=(4,)).load_weights(tmp_path / "m.weights.h5")


def test_mixed_precision_does_not_round_the_data():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        shifted = Flow(tfp.bijectors.Shift(tf.Variable([0.0])), [1])
    finally:
        keras.config.set_dtype_policy("float32")
    # 257 would become 256.
    np.testing.assert_allclose(shifted.predict(np.full((1, 1), 257.0), verbose=0), -33025.42, 1e-6)
