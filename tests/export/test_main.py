"""`python -m export`, from a work directory to a version folder, and its errors in one line."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tfflows import files
from zoo import registry

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A work directory as training leaves it, of a model that exports fast."""
    folder = tmp_path_factory.mktemp("work")
    config = zoo.config("affine_moons").to_dict()
    flow = registry.from_config(config, (2,))
    flow.save_weights(folder / registry.WEIGHTS)
    card = {
        "name": "mine",
        "dim": 2,
        "data": {},
        "weights_sha256": files.sha256(folder / registry.WEIGHTS),
    }
    (folder / registry.CONFIG).write_text(json.dumps(config))
    (folder / registry.CARD).write_text(json.dumps(card))
    return folder


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "export", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    output, errors = process.communicate(timeout=300)
    return process.returncode, output.splitlines(), errors.splitlines()


def test_a_work_directory_is_exported(workdir, tmp_path):
    code, output, errors = end(
        start(f"--model={workdir}", f"--output={tmp_path / 'mine'}", "--version=7")
    )
    assert code == 0, errors
    path = tmp_path / "mine" / "7"
    assert output == [
        "decode: z float32 [batch, 2] -> x float32 [batch, 2]",
        "encode: x float32 [batch, 2] -> z float32 [batch, 2]",
        "log_prob: x float32 [batch, 2] -> log_prob float32 [batch]",
        "sample: seed int64 [batch, 2], temperature float32 [batch] -> samples float32 [batch, 2]",
        "serving_default: x float32 [batch, 2] -> log_prob float32 [batch]",
        str(path),
    ]
    x = np.ones([2, 2], np.float32)
    found = tf.saved_model.load(path).signatures["log_prob"](x=tf.constant(x))["log_prob"]
    np.testing.assert_allclose(found, zoo.load(workdir).log_prob(x), rtol=1e-5)
    assert json.loads((path / "assets.extra" / "card.json").read_text())["name"] == "mine"


def test_errors_are_one_line_and_exit_code_2(workdir, tmp_path):
    (tmp_path / "1").mkdir()
    cases = {
        "there is a version": (f"--model={workdir}", f"--output={tmp_path}"),
        "no such model": ("--model=nsf_moonz", f"--output={tmp_path}"),
        "no such flag": (f"--model={workdir}", f"--output={tmp_path}", "--versoin=2"),
    }
    expected = {
        "there is a version": f"error: version: {tmp_path / '1'} exists; choose another",
        "no such model": "error: model: no model or folder 'nsf_moonz'; did you mean nsf_moons",
        "no such flag": "error: Unknown command line flag 'versoin'",
    }
    running = {name: start(*arguments) for name, arguments in cases.items()}
    for name, process in running.items():
        code, output, errors = end(process)
        assert (code, output) == (2, []), name
        assert errors[-1].startswith(expected[name])
        assert sum(line.startswith("error:") for line in errors) == 1
        assert not any("Traceback" in line for line in errors)
    assert [p.name for p in tmp_path.iterdir()] == ["1"] and not list((tmp_path / "1").iterdir())
