"""`python -m zoo.train`: what it writes, going on after SIGKILL, and its errors in one line."""

import json
import os
import signal
import time

import numpy as np
import pytest

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from tfflows import files
from zoo import cli, registry

SIZES = ("--config.train.steps=30", "--config.train.eval_every=10")
SIZES += ("--config.train.steps_per_execution=5", "--config.train.ema=0.8")


def weights(folder):
    return [variable.numpy() for variable in zoo.load(folder).weights]


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    code, output, errors = binaries.run("zoo.train", *binaries.SMALL, *SIZES, f"--workdir={folder}")
    assert code == 0, errors
    assert "realnvp_moons: " in output and str(folder) in output
    return folder


def check_same(undisturbed, folder):
    for a, b in zip(weights(undisturbed), weights(folder), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert [r["step"] for r in metrics(folder)] == [10, 20, 30]
    cards = [registry.card(f)["training"] for f in (undisturbed, folder)]
    assert cards[0]["chosen_step"] == cards[1]["chosen_step"]
    assert not [p for p in folder.rglob(".*")]  # nothing half-written


def test_work_directory(undisturbed):
    assert {p.name for p in undisturbed.iterdir()} == {
        *("best.weights.h5", "card.json", "checkpoint.npz", "config.json", "events"),
        *("metrics.jsonl", "model.weights.h5", "pictures"),
    }
    pictures = {p.name for p in (undisturbed / "pictures").iterdir()}
    assert pictures >= {"training.png", "overview.png", "latent_grid.png", "step_0000030.png"}
    card = registry.card(undisturbed)
    assert card["parameters"] > 0 and card["data"]["name"] == "two_moons"
    assert card["training"]["seed"] == 0 and card["training"]["steps_done"] == 30
    assert card["weights_sha256"] == files.sha256(undisturbed / "model.weights.h5")
    config = json.loads((undisturbed / "config.json").read_text())
    assert config["model"]["args"]["hidden_units"] == [8]
    assert list((undisturbed / "events").iterdir())


@pytest.mark.slow
def test_killed_in_mid_epoch_and_started_again(undisturbed, tmp_path):
    command = ("-m", "zoo.train", *binaries.SMALL, *SIZES, f"--workdir={tmp_path}")
    # Within the third epoch, after the first of its calls.
    script = (
        "import os, runpy, signal, sys\n"
        "from tfflows.training import callbacks\n"
        "check = callbacks.Guard.on_train_batch_end\n"
        "def kill(self, batch, logs=None):\n"
        "    check(self, batch, logs)\n"
        "    if self._epoch == 2 and batch >= 4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "callbacks.Guard.on_train_batch_end = kill\n"
        "runpy.run_module(sys.argv[0], run_name='__main__')\n"
    )
    process = binaries.start("-c", f"import sys; sys.argv = {list(command[1:])!r}\n{script}")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, errors[-2000:]
    assert len(metrics(tmp_path)) == 2
    assert not (tmp_path / "card.json").exists()
    with pytest.raises(ValueError, match="is not finished"):
        zoo.load(tmp_path)
    code, _, errors = binaries.run(*command[1:])
    assert code == 0, errors
    check_same(undisturbed, tmp_path)


@pytest.mark.slow
def test_killed_in_a_save_and_started_again(undisturbed, tmp_path):
    command = ("-m", "zoo.train", *binaries.SMALL, *SIZES, f"--workdir={tmp_path}")
    # With the second checkpoint written beside its place and not yet there: its metrics are on
    # file already, the best weights too.
    script = (
        "import os, runpy, signal, sys\n"
        "replace, times = os.replace, []\n"
        "def kill(source, target):\n"
        "    times.append(str(target).endswith('checkpoint.npz'))\n"
        "    if sum(times) == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    replace(source, target)\n"
        "os.replace = kill\n"
        "runpy.run_module(sys.argv[0], run_name='__main__')\n"
    )
    process = binaries.start("-c", f"import sys; sys.argv = {list(command[1:])!r}\n{script}")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, errors[-2000:]
    assert [r["step"] for r in metrics(tmp_path)] == [10, 20]
    assert list(tmp_path.glob(".tmp-*"))
    code, _, errors = binaries.run(*command[1:])
    assert code == 0, errors
    check_same(undisturbed, tmp_path)


@pytest.mark.slow
def test_killed_at_any_instant_and_started_again(undisturbed, tmp_path):
    """Killed from outside, again and again, each time a little later after a first new line."""
    command = ("-m", "zoo.train", *binaries.SMALL, *SIZES, f"--workdir={tmp_path}")
    path = tmp_path / "metrics.jsonl"
    kills = 0
    for delay in np.linspace(0.0, 0.3, 6):
        written = path.stat().st_mtime_ns if path.exists() else 0
        process = binaries.start(*command)
        while process.poll() is None and not (path.exists() and path.stat().st_mtime_ns > written):
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 3
    code, _, errors = binaries.run(*command[1:])
    assert code == 0, errors
    check_same(undisturbed, tmp_path)


def test_error_in_a_process_of_its_own(tmp_path):
    process = binaries.start("-m", "zoo.train", "--config=nsf_mons", f"--workdir={tmp_path / 'w'}")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors.splitlines()[-1].startswith("error: config: model: no model or folder 'nsf_mons'")
    assert "Traceback" not in errors and not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--config.train.stepz=3"], "config: no entry 'stepz'. Did you mean 'steps'"),
        (["--config.train.steps=many"], "steps=many: expected a whole number"),
        (["--config.train.steps=0"], "error: train.steps: expected at least 1, got 0"),
        (["--config.train.patience=-1"], "error: train.patience: expected at least 0, got -1"),
        (["--config.train.ema=1"], "error: train.ema: expected at least 0 and below 1, got 1.0"),
        (["--config.train.learning_rate=0"], "error: train.learning_rate: expected more than 0"),
        (["--config.train.warmup=31"], "error: train.warmup: expected at most train.steps, 30"),
        (
            ["--config.train.checkpoint_every=3"],
            "error: train.eval_every: expected a multiple of train.checkpoint_every, 3, got 10",
        ),
        (
            ["--config.train.clip_norm=nan"],
            "train.clip_norm: expected a finite number, got nan",
        ),
        (["--config.train.momentum=nan"], "train.momentum: expected a finite number, got nan"),
        (["--config.model.args.dropout=inf"], "model.args.dropout: expected a finite number"),
        (["--config.train.seed=-1"], "error: train.seed: expected 0 to 4294966, got -1"),
        (
            ["--config.train.seed=100000000000000000000"],
            "train.seed: expected 0 to 4294966, got 1000",
        ),
        (["--config.train.seed=1e20"], "--config.train.seed=1e20"),
        (["--config.train.optimizer=adma"], "error: train.optimizer: expected one of adam"),
        (
            ["--config.train.schedule=linear"],
            "error: train.schedule: expected one of constant",
        ),
        (["--config.train.batch_size=0"], "error: train.batch_size: expected at least 1, got 0"),
        (["--config.data.source=rows"], "data.source: expected one of toy, target, table, tfds"),
        (["--config.data.name=moons"], "name: expected one of two_moons"),
        (["--config.model.args.layers=0"], "layers: expected at least 1, got 0"),
        (["--strategy=two"], "--strategy=two"),
        (["--strategy=tpu"], "strategy: tpu expects a TPU, found none"),
        (["--strategy=multi_worker"], "TF_CONFIG, got none"),
        (["--nonsense=1"], "Unknown command line flag 'nonsense'"),
        (["nonsense"], "unknown argument 'nonsense'"),
    ],
)
def test_bad_flags(tmp_path, arguments, message):
    error = error_of(*binaries.SMALL, *SIZES, f"--workdir={tmp_path / 'w'}", *arguments)
    assert message in error
    assert not (tmp_path / "w").exists()


def test_numbers_are_checked_before_tensorflow_is_imported(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "importlib", None)  # imports the package, and so TensorFlow
    arguments = ("--config=nsf_moons", f"--workdir={tmp_path / 'w'}", "--config.train.steps=-5")
    assert error_of(*arguments) == "error: train.steps: expected at least 1, got -5"


def test_missing_flags():
    assert "--config" in error_of("--workdir=x")
    assert "--workdir" in error_of("--config=nsf_moons")
    assert "no file 'x.py'" in error_of("--config=x.py", "--workdir=x")


WHOLE = "from zoo.configs.nsf.nsf_moons import get_config as whole\n"


@pytest.mark.parametrize(
    "text, message",
    [
        ("def get_config(:\n", "SyntaxError: "),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def get_config():\n    return nothing\n", "NameError: name 'nothing' is not defined"),
        ("", "it has no function get_config"),
        ("open('/no/such/file')\n", "FileNotFoundError: "),
        ("def get_config():\n    return {}\n", "expected a ConfigDict from get_config, got a dict"),
        ("def get_config():\n    pass\n", "expected a ConfigDict from get_config, got a NoneType"),
        (
            WHOLE + "def get_config():\n    c = whole().unlock()\n    del c.train\n    return c\n",
            "no entry 'train' (",
        ),
        (
            WHOLE + "def get_config():\n    c = whole().unlock()\n    del c.data.size\n"
            "    return c\n",
            "no entry 'data.size' (",
        ),
        (
            WHOLE + "def get_config():\n    c = whole().unlock()\n    c.train.steps = None\n"
            "    return c\n",
            "'train.steps': expected int, got None",
        ),
    ],
)
def test_bad_config_file(tmp_path, text, message):
    path = tmp_path / "mine.py"
    path.write_text(text)
    for flag in (["--config.train.steps=3"], []):
        error = error_of(f"--config={path}", f"--workdir={tmp_path / 'w'}", *flag)
        assert error.startswith(f"error: config: {path}") and message in error
    assert not (tmp_path / "w").exists()


def test_config_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(WHOLE + "def get_config():\n    return whole()\n")
    error = error_of(f"--config={path}", f"--workdir={tmp_path / 'w'}", "--config.train.steps=0")
    assert "steps: expected at least 1, got 0" in error  # all else is as it should be


TABLE = ("--config=maf_table", "--config.train.steps=10", "--config.train.jit_compile=False")
TABLE += ("--config.model.args.layers=1", "--config.model.args.hidden_units=(8,)")


def save_rows(path, change=lambda x: x):
    rows = np.random.default_rng(0).normal([3.0, -1.0, 10.0], [2.0, 0.1, 5.0], [200, 3])
    np.savez(path, x=change(rows))
    return path


def nan_rows(x):
    x[[3, 17]] = np.nan
    return x


def constant(x):
    x[:, 1] = 4.0
    return x


@pytest.mark.parametrize(
    "change, message",
    [
        (nan_rows, "NaN or infinity in rows 3, 17"),
        (constant, "got constant 'column_1'"),
        (lambda x: x[:0], "got an empty table"),
        (lambda x: x[:5], "expected at least 11 rows"),
        (lambda x: x[:, 0], "expected shape [rows, columns]"),
    ],
)
def test_bad_table(tmp_path, change, message):
    path = save_rows(tmp_path / "rows.npz", change)
    error = error_of(*TABLE, f"--config.data.path={path}", f"--workdir={tmp_path / 'w'}")
    assert message in error
    assert not (tmp_path / "w").exists()


def test_text_in_a_column_and_no_table(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "1,2\n3,4\n" * 20 + "5,six\n")
    workdir = f"--workdir={tmp_path / 'w'}"
    assert "column 'b': expected numbers, got 'six'" in error_of(
        *TABLE, f"--config.data.path={path}", workdir
    )
    assert "does not exist" in error_of(*TABLE, "--config.data.path=none.csv", workdir)
    assert "data.path: maf_table needs a value" in error_of(*TABLE, workdir)
    assert not (tmp_path / "w").exists()


def test_table_standardised_in_the_model(tmp_path):
    path = save_rows(tmp_path / "rows.npz")
    work = tmp_path / "w"
    arguments = (*TABLE, f"--config.data.path={path}", f"--workdir={work}")
    code, _, errors = binaries.run("zoo.train", *arguments)
    assert code == 0, errors
    card = registry.card(work)
    assert card["dim"] == 3
    assert card["data"]["rows"] == {"train": 162, "validation": 18, "test": 20}
    assert card["data"]["sha256"] == files.sha256(path)
    flow = zoo.load(work)
    assert flow.standardization_log_det == pytest.approx(np.log([2.0, 0.1, 5.0]).sum(), abs=0.3)

    # Another table in its place is another run.
    save_rows(path, lambda x: x + 1)
    assert "data_sha256 is" in error_of(*arguments)
    # Scores of a table by name, on other data than its own.
    code, output, errors = binaries.run("zoo.evaluate", f"--model={work}", f"--data_path={path}")
    assert code == 0, errors
    assert "of standardised rows" in output and "not the table" in output


def test_work_directory_of_another_config(undisturbed):
    before = sorted(undisturbed.rglob("*"))
    changes = ("--config.train.seed=1", "--config.train.momentum=0.5")
    error = error_of(*binaries.SMALL, *SIZES, *changes, f"--workdir={undisturbed}")
    assert "config: train.momentum is 0.9 there and 0.5 here; train.seed is 0 there and 1" in error
    assert sorted(undisturbed.rglob("*")) == before


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    error = error_of(*binaries.SMALL, *SIZES, f"--workdir={tmp_path / 'file' / 'w'}")
    assert "workdir: expected a folder" in error
    if os.geteuid() != 0:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        error = error_of(*binaries.SMALL, *SIZES, f"--workdir={locked / 'w'}")
        assert "workdir: no permission to write" in error


def test_no_permission(tmp_path, monkeypatch):
    """As for a user other than root, whom permissions do not bind."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    error = error_of(*binaries.SMALL, *SIZES, f"--workdir={tmp_path / 'w'}")
    assert f"workdir: no permission to write to {tmp_path}" in error
    assert not (tmp_path / "w").exists()


def test_a_warmup_longer_than_the_run(tmp_path):
    error = error_of(
        *binaries.SMALL, *SIZES, "--config.train.warmup=5000", f"--workdir={tmp_path / 'run'}"
    )
    assert "train.warmup: expected at most train.steps" in error and "got 5000" in error
    assert not (tmp_path / "run").exists()


def test_nan_in_the_loss(tmp_path):
    error = error_of(
        *binaries.SMALL,
        *SIZES,
        "--config.train.learning_rate=1e30",
        "--config.train.clip_norm=0",
        f"--workdir={tmp_path}",
    )
    assert "loss: " in error and "step" in error
    assert not (tmp_path / "card.json").exists() and not (tmp_path / "model.weights.h5").exists()
