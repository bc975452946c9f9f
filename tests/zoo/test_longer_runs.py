"""Runs by the command that go on, stop early, and what they report."""

import json

import numpy as np
import pytest

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from zoo import registry, schema
from zoo.configs import default
from zoo.train import check_same, stored_values

QUICK = ("--config.train.jit_compile=False", "--config.train.batch_size=64")
TOY = ("--config=affine_moons", "--config.data.size=5000", *QUICK)
STEPS = "--config.train.steps"


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_a_run_is_finished_and_goes_on(tmp_path):
    arguments = (*TOY, "--config.train.eval_every=20", f"--workdir={tmp_path}")
    code, output, errors = binaries.run("zoo.train", *arguments, f"{STEPS}=50")
    assert code == 0, errors
    lines = output.splitlines()
    assert lines[0] == "compiling the training step ..." and "finished at step 50" in lines
    assert any(line.startswith("step 20 of 50: loss ") for line in lines)
    assert registry.card(tmp_path)["training"]["steps_done"] == 50

    code, output, errors = binaries.run("zoo.train", *arguments, f"{STEPS}=50")
    assert code == 0 and output.startswith(
        "already finished at step 50; raise the number of steps to continue\n"
    )

    # More steps, and validations at other places: neither says what the model is.
    more = (*TOY, "--config.train.eval_every=25", f"--workdir={tmp_path}", f"{STEPS}=100")
    code, output, errors = binaries.run("zoo.train", *more)
    assert code == 0, errors
    assert output.startswith("resuming at step 50 of 100\n")
    card = registry.card(tmp_path)
    assert card["training"]["steps_done"] == card["training"]["steps"] == 100
    assert [r["step"] for r in metrics(tmp_path)] == [20, 40, 50, 75, 100]
    assert zoo.load(tmp_path).log_prob(np.zeros([1, 2], np.float32)).shape == (1,)

    error = error_of(*arguments, f"{STEPS}=60")
    assert "train.steps: expected at least 100, the steps that the run in" in error
    assert "train.learning_rate is" in error_of(*more, "--config.train.learning_rate=0.5")


def test_what_may_change():
    entries = schema.flat(registry.config("nsf_moons").to_dict())
    assert set(schema.MAY_CHANGE) <= set(entries)
    assert not {key for key in schema.MAY_CHANGE if key.startswith(("model.", "data."))}


def test_a_run_that_goes_on_has_no_model_until_it_is_finished(tmp_path, monkeypatch):
    arguments = (*TOY, "--config.train.eval_every=20", f"--workdir={tmp_path}")
    assert binaries.run("zoo.train", *arguments, f"{STEPS}=20")[0] == 0
    from tfflows import training

    def stop(*args, **kwargs):
        raise ValueError("stopped")

    monkeypatch.setattr(training, "fit", stop)
    assert "stopped" in error_of(*arguments, f"{STEPS}=40")
    with pytest.raises(ValueError, match="is not finished"):
        zoo.load(tmp_path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "rows.npz"
    rows = np.random.default_rng(0).normal([3.0, -1.0], [2.0, 0.1], [60, 2])
    np.savez(path, x=rows)
    return path


@pytest.mark.slow
def test_a_small_table_stops_early(tmp_path, table):
    """Its validation loss turns, and by default a table has a patience of 8 validations."""
    arguments = (
        *("--config=realnvp_table", f"--config.data.path={table}", f"--workdir={tmp_path}"),
        *("--config.model.args.layers=1", "--config.model.args.hidden_units=(32,)"),
        *("--config.train.eval_every=10", "--config.train.warmup=0", f"{STEPS}=2000"),
        *("--config.train.learning_rate=0.03", *QUICK),
    )
    code, output, errors = binaries.run("zoo.train", *arguments)
    assert code == 0, errors
    facts = registry.card(tmp_path)["training"]
    assert facts["patience"] == 80
    assert facts["steps_done"] < 2000 and facts["steps_done"] - facts["chosen_step"] == 80
    assert f"stopped at step {facts['steps_done']} of 2000: validation has not improved" in output
    # Both nats, as it goes and at the end.
    shift = zoo.load(tmp_path).standardization_log_det
    for record in metrics(tmp_path):
        assert record["nats_standardized"] == pytest.approx(record["loss"] - shift, abs=1e-6)
    loss = facts["validation_loss_nats"]
    assert facts["validation"] == {"nats_standardized": pytest.approx(loss - shift, abs=1e-6)}
    closing = f"validation loss {loss:.4f} nats ({loss - shift:.4f} of standardised rows), "
    assert closing in output and " of standardised rows; validation " in output

    # An unchanged command leaves it; a run keeps the patience that it began with.
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["train"]["patience"] == 80
    code, output, _ = binaries.run("zoo.train", *arguments)
    assert code == 0 and output.startswith(
        f"already stopped at step {facts['steps_done']} of 2000, "
    )


def test_patience_is_for_tables():
    from zoo.train import _patience

    nowhere = registry.CONFIGS / "nowhere"
    table, toy, images = (registry.config(n) for n in ("nsf_table", "nsf_moons", "glow_mnist"))
    assert _patience(table, nowhere) == 8 * table.train.eval_every
    assert _patience(toy, nowhere) == 0 and _patience(images, nowhere) == 0
    table.train.patience = 0
    assert _patience(table, nowhere) == 0


def test_a_run_from_before_keeps_its_patience(tmp_path):
    """Of old, config.json had 0 where a config now leaves it open."""
    from zoo.train import _patience

    config = registry.config("nsf_table")
    values = stored_values(config)
    values["train"]["patience"] = 0
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert _patience(config, tmp_path) == 0
    check_same(tmp_path, stored_values(config))


def test_the_words_about_a_model_may_change(tmp_path):
    config = registry.config("nsf_moons")
    (tmp_path / "config.json").write_text(json.dumps(stored_values(config)))
    config.summary, config.paper.title = "In other words.", "As it was published, 2016"
    check_same(tmp_path, stored_values(config))
    config.model.args.bins += 1
    with pytest.raises(ValueError, match="another config: model.args.bins is"):
        check_same(tmp_path, stored_values(config))


@pytest.mark.slow
def test_images_report_bits_per_dimension(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, [60, 4, 4, 1], np.uint8)
    np.savez(tmp_path / "x.npz", x=x)
    code, output, errors = binaries.run(
        *("zoo.train", "--config=glow_images", f"--config.data.path={tmp_path / 'x.npz'}"),
        *("--config.model.args.levels=1", "--config.model.args.steps=1"),
        *("--config.model.args.width=4", f"{STEPS}=2", "--config.train.warmup=0", *QUICK),
        *("--config.train.eval_every=2", f"--workdir={tmp_path / 'w'}"),
    )
    assert code == 0, errors
    record = metrics(tmp_path / "w")[-1]
    nats = 16 * np.log(2)
    assert record["bits_per_dim"] == pytest.approx(record["loss"] / nats, rel=1e-6)
    assert record["val_bits_per_dim"] == pytest.approx(record["val_loss"] / nats, rel=1e-6)
    bits = record["val_bits_per_dim"]
    assert f"validation {record['val_loss']:.4f} nats, {bits:.4f} bits/dim" in output
    assert f"nats ({bits:.4f} bits/dim), " in output.splitlines()[-2]
    # As the evaluation has it, up to the choice of rows.
    assert 6 < bits < 12


def test_a_column_that_breaks_the_loss_is_named(tmp_path):
    rows = np.random.default_rng(0).normal(size=[200, 3])
    rows[:, 1] = np.where(np.arange(200) % 50 == 7, 1e25, rows[:, 1])
    path = tmp_path / "rows.csv"
    np.savetxt(path, rows, delimiter=",", header="a,b,c", comments="")
    error = error_of(
        *("--config=realnvp_table", f"--config.data.path={path}", f"--workdir={tmp_path / 'w'}"),
        *("--config.model.args.layers=1", "--config.model.args.hidden_units=(8,)", *QUICK),
        *("--config.model.args.standardize=False", f"{STEPS}=20", "--config.train.warmup=0"),
    )
    assert "loss: " in error and "in column 'b', where the median is " in error
    assert "lower --config.train.learning_rate, or leave out column 'b'; " in error


def test_the_default_of_patience_is_open():
    config = default.get_config(name="", summary="", family="NSF")
    assert config.train.patience is None
