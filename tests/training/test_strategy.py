import pytest
import tensorflow as tf

from tfflows import training


def test_one_is_the_default_strategy(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert training.choose("one") is tf.distribute.get_strategy()
    assert training.is_chief(training.choose())
    if not tf.config.list_physical_devices("GPU"):
        assert training.choose("auto") is tf.distribute.get_strategy()


def test_mirrored_takes_the_devices_there_are():
    strategy = training.choose("mirrored")
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    assert strategy.num_replicas_in_sync == len(devices)
    assert training.is_chief(strategy)


@pytest.mark.parametrize(
    "name, tf_config, message",
    [
        ("both", None, "strategy: expected one of auto, one, mirrored, multi_worker, tpu"),
        ("multi_worker", None, "TF_CONFIG, got none"),
        ("multi_worker", "{", "TF_CONFIG: expected JSON"),
        ("auto", "[]", "TF_CONFIG: expected JSON"),
    ],
)
def test_errors(monkeypatch, name, tf_config, message):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if tf_config is not None:
        monkeypatch.setenv("TF_CONFIG", tf_config)
    with pytest.raises(ValueError, match=message) as error:
        training.choose(name)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(
    bool(tf.config.list_physical_devices("TPU")), reason="there is a TPU on this machine"
)
def test_no_tpu():
    with pytest.raises(ValueError, match="tpu expects a TPU, found none"):
        training.choose("tpu")
