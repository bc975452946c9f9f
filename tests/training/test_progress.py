"""What a run prints of itself, the figures of its loss, and going on with more steps."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tests.training.short_runs import ROWS, metrics
from tfflows import models, training
from tfflows.data import pipeline
from tfflows.training import progress


def flow():
    return models.AffineFlow(dim=2, seed=3)  # which compiles at once


def run(folder, steps=24, model=None, verbose=2, figures=(), rate=1e-2, **settings):
    settings = {"checkpoint_every": 4, "eval_every": 8} | settings
    for path in (folder, folder / "pictures"):
        path.mkdir(exist_ok=True)
    model = model or flow()
    result = training.fit(
        model,
        lambda start: pipeline.training_dataset(ROWS, 32, 1, start),
        pipeline.evaluation_dataset(ROWS[:100], 50),
        folder,
        lambda: training.optimizer("adam", training.learning_rate("cosine", rate, steps)),
        training.Settings(steps=steps, **settings),
        verbose=verbose,
        figures=figures,
    )
    return model, result


def test_a_run_tells_of_itself(tmp_path, capsys):
    double = training.Figure("doubled", "{:.2f} doubled", lambda loss: 2 * loss)
    run(tmp_path, figures=[double], jit_compile=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "compiling the training step ..."
    assert lines[1].startswith("compiled in ")
    assert [line.split(":")[0] for line in lines[2:5]] == [f"step {n} of 24" for n in (8, 16, 24)]
    assert all("validation " in line and " nats, " in line for line in lines[2:5])
    assert lines[2].endswith("left") and "left" not in lines[4]
    assert lines[5:] == ["finished at step 24"]
    record = metrics(tmp_path)[-1]
    assert record["doubled"] == 2 * record["loss"]
    assert record["val_doubled"] == 2 * record["val_loss"]
    assert (
        f"validation {record['val_loss']:.4f} nats, {2 * record['val_loss']:.2f} doubled"
        in lines[4]
    )
    assert "val_doubled" not in metrics(tmp_path)[0]

    run(tmp_path, figures=[double])
    assert (
        capsys.readouterr().out
        == "already finished at step 24; raise the number of steps to continue\n"
    )


def test_silence(tmp_path, capsys):
    run(tmp_path, steps=4, verbose=0)
    assert capsys.readouterr().out == ""


def test_the_figures_are_in_tensorboard(tmp_path):
    run(tmp_path, steps=8, figures=[training.Figure("halved", "{}", lambda loss: loss / 2)])
    tags = set()
    for path in (tmp_path / "events").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            tags |= {value.tag for value in event.summary.value}
    assert {"loss (nats)", "val_loss (nats)", "halved", "val_halved", "learning_rate"} <= tags


def stopped_at(folder, step, monkeypatch):
    """A run that was killed in the epoch after a step."""
    with monkeypatch.context() as patch:
        from tfflows.training import callbacks

        original = callbacks.Guard.on_train_batch_end

        def raising(self, batch, logs=None):
            original(self, batch, logs)
            if self.step_in(self._epoch, batch) == step + 1:
                raise KeyboardInterrupt

        patch.setattr(callbacks.Guard, "on_train_batch_end", raising)
        with pytest.raises(KeyboardInterrupt):
            run(folder)


def test_a_restart_says_where_it_goes_on(tmp_path, monkeypatch, capsys):
    stopped_at(tmp_path, 12, monkeypatch)
    capsys.readouterr()
    run(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "resuming at step 12 of 24" and lines[-1] == "finished at step 24"


@pytest.mark.parametrize("first", [8, 10])  # the second ends in the middle of an epoch
def test_a_finished_run_goes_on_with_more_steps(tmp_path, capsys, first):
    run(tmp_path, steps=first)
    capsys.readouterr()
    model, result = run(tmp_path, steps=24, steps_per_execution=4)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"resuming at step {first} of 24"
    assert result.step == 24 and int(model.optimizer.iterations.numpy()) == 24
    expected = sorted({4, 8, first, 12, 16, 20, 24})
    assert [r["step"] for r in metrics(tmp_path)] == expected
    assert [r["step"] for r in metrics(tmp_path) if "val_loss" in r] == sorted({8, first, 16, 24})
    # The rate is that of the longer schedule from there on.
    rates = {r["step"]: r["learning_rate"] for r in metrics(tmp_path)}
    assert rates[first] == pytest.approx(0.0, abs=1e-8)
    assert rates[16] == pytest.approx(1e-2 * (1 + math.cos(math.pi * 16 / 24)) / 2, rel=1e-5)


def test_a_run_ends_within_the_rest_of_an_epoch(tmp_path):
    run(tmp_path, steps=9, verbose=0)
    model, result = run(tmp_path, steps=11, verbose=0)
    assert result.step == int(model.optimizer.iterations.numpy()) == 11
    assert [r["step"] for r in metrics(tmp_path)] == [4, 8, 9, 11]


def test_steps_of_a_run_that_went_on_are_those_of_one_with_a_constant_rate(tmp_path):
    """No batch is left out or met twice where a run is taken up in the middle of an epoch."""

    def go(folder, steps):
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        model = flow()
        training.fit(
            model,
            lambda start: pipeline.training_dataset(ROWS, 32, 1, start),
            pipeline.evaluation_dataset(ROWS[:100], 50),
            folder,
            lambda: training.optimizer("adam", 1e-2),
            training.Settings(steps=steps, checkpoint_every=4, eval_every=4),
            verbose=0,
        )
        return np.load(folder / "checkpoint.npz")

    go(tmp_path / "parts", 6)
    parts, whole = go(tmp_path / "parts", 13), go(tmp_path / "whole", 13)
    assert len(parts.files) == len(whole.files)
    for name in set(whole.files) - {"state"}:
        np.testing.assert_allclose(parts[name], whole[name], atol=1e-6)


@pytest.mark.slow
def test_an_early_stop_goes_on_with_more_patience(tmp_path, capsys):
    # Validated on other rows than those trained on, and at such a rate that it soon rises.
    settings = {"checkpoint_every": 2, "eval_every": 2, "rate": 1.0}
    _, early = run(tmp_path, patience=4, **settings)
    step, best = early.step, early.best_step
    assert step < 24 and step - best == 4
    words = f"stopped at step {step} of 24: validation has not improved in 4 steps\n"
    assert capsys.readouterr().out.endswith(words)
    assert run(tmp_path, patience=4, **settings)[1].step == step
    words = f"already stopped at step {step} of 24, because validation had not improved since step "
    words += f"{best}; raise the patience to continue\n"
    assert capsys.readouterr().out.startswith(words)
    _, on = run(tmp_path, patience=None, **settings)
    assert on.step == 24
    assert capsys.readouterr().out.startswith(f"resuming at step {step} of 24\n")


def test_a_line_on_a_terminal_is_written_over(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    best = type("Best", (), {"stopped": False, "step": 0})()
    report = progress.Progress(10, 20, best, verbose=1, jit_compile=True)
    report.on_train_begin()
    report.on_epoch_begin(0)
    for batch, clock[0] in enumerate((5.0, 5.5, 7.0)):
        report.on_train_batch_end(batch, {"loss": np.array([1.0])})
    report.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    out = capsys.readouterr().out
    assert out.startswith("compiling the training step with XLA ...\ncompiled in 5 s\n")
    # Two steps in two seconds, and 17 are left.
    assert "\nstep 3 of 20: loss 1.0000 nats; 17 s left\rstep 10 of 20: " in out
    assert out.endswith("\n")


def test_durations():
    found = [progress.duration(s) for s in (0.2, 59.6, 200, 7500)]
    assert found == ["0 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]
