"""The loop: files, the choice of the best, early stopping, NaN, and going on after a stop."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.training.short_runs import ROWS, flow, metrics, run
from tfflows import models, training
from tfflows.data import pipeline
from tfflows.training import callbacks, loop


def test_files_metrics_and_the_best(tmp_path):
    drawn = []

    def draw(path, step):
        drawn.append(step)
        png = tf.io.encode_png(tf.zeros([2, 2, 3], tf.uint8)).numpy()
        path.write_bytes(png)

    model, result = run(tmp_path, draw=draw, picture_every=12)
    assert {p.name for p in tmp_path.iterdir()} == {
        *("best.weights.h5", "checkpoint.npz", "events", "metrics.jsonl"),
        *("model.weights.h5", "pictures"),
    }
    records = metrics(tmp_path)
    assert [r["step"] for r in records] == [4, 8, 12, 16, 20, 24]
    validated = {r["step"]: r["val_loss"] for r in records if "val_loss" in r}
    assert list(validated) == [8, 16, 24]
    assert records[-1]["learning_rate"] == pytest.approx(0.0, abs=1e-8)
    assert result.step == 24
    assert result.validation_loss == min(validated.values())
    assert validated[result.best_step] == result.validation_loss
    assert drawn == [12, 24]
    # The weights on file are those of the best validation, and the model has them.
    again = flow()
    again.load_weights(tmp_path / "model.weights.h5")
    loss = -float(np.mean(again.log_prob(ROWS)))
    assert loss == pytest.approx(result.validation_loss, abs=1e-5)
    np.testing.assert_array_equal(again.log_prob(ROWS), model.log_prob(ROWS))


def test_the_last_step_is_exact_and_validated(tmp_path):
    model, result = run(tmp_path, steps=10)
    assert result.step == 10
    assert int(model.optimizer.iterations.numpy()) == 10
    assert [r["step"] for r in metrics(tmp_path) if "val_loss" in r] == [8, 10]


class Stopped(Exception):
    pass


def test_moving_averages_are_what_is_validated_and_kept(tmp_path):
    """And training itself goes on from the weights, not from their averages."""
    plain, _ = run(tmp_path / "plain")
    averaged, result = run(tmp_path / "averaged", ema=0.9)
    first, second = (np.load(tmp_path / name / "checkpoint.npz") for name in ("plain", "averaged"))
    for index in range(len(plain.weights)):  # the optimizer's variables follow
        np.testing.assert_array_equal(first[f"{index:05d}"], second[f"{index:05d}"])
    last = metrics(tmp_path / "averaged")[-1]["val_loss"]
    assert abs(last - metrics(tmp_path / "plain")[-1]["val_loss"]) > 1e-3
    assert result.best_step == 24
    loss = averaged.evaluate(pipeline.evaluation_dataset(ROWS, 200), verbose=0)
    np.testing.assert_allclose(loss, last, rtol=1e-5)
    with pytest.raises(ValueError, match="ema: expected at least 0 and below 1, got 1"):
        training.optimizer("adam", ema=1)


def stop_at(monkeypatch, step, method="on_train_batch_end"):
    """Makes the guard raise in mid-epoch, as a kill would end the process there."""
    original = callbacks.Guard.on_train_batch_end

    def raising(self, batch, logs=None):
        original(self, batch, logs)
        if self._epoch * self.epoch_steps + batch + 1 == step:
            raise Stopped

    monkeypatch.setattr(callbacks.Guard, method, raising)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, *run(folder)


def copy(undisturbed, folder):
    shutil.copytree(undisturbed[0], folder, dirs_exist_ok=True)


@pytest.mark.parametrize("step", [2, pytest.param(23, marks=pytest.mark.slow)])
def test_stopped_and_started_again(tmp_path, monkeypatch, undisturbed, step):
    folder, whole, result = undisturbed
    with monkeypatch.context() as patch:
        stop_at(patch, step)
        with pytest.raises(Stopped):
            run(tmp_path / "parts")
    parts, again = run(tmp_path / "parts")
    for a, b in zip(whole.weights, parts.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)
    assert (again.step, again.best_step) == (result.step, result.best_step)
    steps = [r["step"] for r in metrics(tmp_path / "parts")]
    assert steps == [4, 8, 12, 16, 20, 24]
    for a, b in zip(metrics(folder), metrics(tmp_path / "parts"), strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=1e-6)


def test_a_finished_run_is_left_as_it_is(tmp_path, undisturbed):
    copy(undisturbed, tmp_path)
    before = (tmp_path / "metrics.jsonl").read_bytes()
    model, result = run(tmp_path)
    assert result.step == 24 and (tmp_path / "metrics.jsonl").read_bytes() == before
    assert -float(np.mean(model.log_prob(ROWS))) == pytest.approx(result.validation_loss, abs=1e-5)


@pytest.mark.slow
def test_early_stop_stays_stopped(tmp_path):
    # So high a rate that validation soon rises.
    settings = {"checkpoint_every": 2, "eval_every": 2, "patience": 4, "rate": 3.0}
    model, result = run(tmp_path, **settings)
    assert result.step < 24 and result.step - result.best_step == 4
    # The weights kept are the best ones, which here are not the last ones.
    kept = flow()
    kept.load_weights(tmp_path / "model.weights.h5")
    for chosen in (model, kept):
        loss = -float(np.mean(chosen.log_prob(ROWS)))
        assert loss == pytest.approx(result.validation_loss, rel=1e-5)
    before = metrics(tmp_path)
    _, again = run(tmp_path, **settings)
    assert again.step == result.step and metrics(tmp_path) == before


def test_nan_names_the_step_and_keeps_the_checkpoint(tmp_path):
    rows = ROWS.copy()
    rows[7] = np.nan
    first = pipeline.shuffled_rows(tf.range(500, dtype=tf.int64), 500, 1).numpy()
    step = int(np.flatnonzero(first == 7)[0]) // 32 + 1
    model = flow()
    model.initialize(ROWS)
    with pytest.raises(callbacks.NotFiniteError) as error:
        run(tmp_path, model, rows=rows, checkpoint_every=1, eval_every=1)
    kept = f"the checkpoint of step {step - 1} is kept"
    assert str(error.value).startswith(f"loss: nan at step {step}; ")
    assert "; a row has nan in column 0, where the median is " in str(error.value)
    assert str(error.value).endswith(kept if step > 1 else "no checkpoint has been written yet")
    assert not (tmp_path / "model.weights.h5").exists()


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = flow()
    guard = callbacks.Guard(4, 24, 1, tmp_path / "checkpoint.npz")
    guard.set_model(model)
    guard.check_weights(4)
    model.trainable_weights[0].assign(model.trainable_weights[0] * np.nan)
    with pytest.raises(ValueError, match="NaN or infinite after step 4, in weights"):
        guard.check_weights(4)


def test_reverse_kl(tmp_path):
    model = models.IAF(dim=2, layers=1, hidden_units=(8,))
    result = training.fit(
        model,
        lambda start: tf.data.Dataset.range(start * 64, 2**40).batch(64, drop_remainder=True),
        pipeline.evaluation_dataset(2**40 + np.arange(256), 128),
        tmp_path,
        lambda: training.optimizer("adam", 1e-2),
        training.Settings(steps=60, checkpoint_every=30, eval_every=30, steps_per_execution=10),
        target_log_prob=lambda x: -0.5 * tf.reduce_sum(tf.square(x - 1.0), axis=-1),
        verbose=0,
    )
    first, last = [r["val_loss"] for r in metrics(tmp_path)]
    assert last < first and result.validation_loss == last


def test_steps_per_execution_divides_the_epoch_and_the_run():
    settings = training.Settings(steps=1000, checkpoint_every=250, steps_per_execution=60)
    assert settings.execution == 50
    assert training.Settings(steps=7, checkpoint_every=7, eval_every=7).execution == 1


@pytest.mark.parametrize(
    "values, message",
    [
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"steps": 5, "checkpoint_every": 0}, "checkpoint_every: expected at least 1"),
        ({"steps": 5, "checkpoint_every": 4, "eval_every": 6}, "a multiple of checkpoint_every"),
        ({"steps": 5, "patience": -1}, "patience: expected at least 1 step, or None for no limit"),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(ValueError, match=message):
        training.Settings(**values)


def test_checkpoint_of_another_model(tmp_path, undisturbed):
    copy(undisturbed, tmp_path)
    other = models.RealNVP(dim=2, layers=2, hidden_units=(9,))
    with pytest.raises(ValueError, match="from another model"):
        run(tmp_path, other)
    assert loop.CHECKPOINT in {p.name for p in tmp_path.iterdir()}


@pytest.mark.parametrize("content", [None, b"junk"])
def test_best_weights_missing_or_damaged(tmp_path, undisturbed, content):
    copy(undisturbed, tmp_path)
    path = tmp_path / loop.BEST
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ValueError, match="put the file back, or remove") as error:
        run(tmp_path, steps=28)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert len(metrics(tmp_path)) == 6  # it is said before the training goes on
