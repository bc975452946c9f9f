"""Text and sets through the commands, as rows of integers."""

import numpy as np
import pytest

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from tfflows.data import text
from zoo import modalities, registry

QUICK = (
    *("--config=discrete_text", "--config.model.args.width=16"),
    *("--config.data.length=4", "--config.train.steps=60", "--config.train.eval_every=30"),
    "--config.train.warmup=0",
)


def save_text(path, letters="abcdef \n"):
    random = np.random.default_rng(0)
    path.write_text("".join(random.choice(list(letters), 4000)))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A work directory, and the text that it was trained on."""
    folder = tmp_path_factory.mktemp("text")
    path = save_text(folder / "x.txt")
    code, out, errors = binaries.run(
        "zoo.train", *QUICK, f"--config.data.path={path}", f"--workdir={folder / 'run'}"
    )
    assert code == 0, errors
    assert "bits/dim" in out
    return folder / "run", path


def test_a_text_is_trained_on_and_tested(trained):
    workdir, path = trained
    facts, source = zoo.card(workdir)["data"], path.read_text()
    assert zoo.card(workdir)["architecture"]["args"]["levels"] == 8
    assert facts["alphabet"] == "\n abcdef" and facts["rows"]["train"] == 3600 - 3
    data = modalities.load(registry.ConfigDict(registry.trained_config(workdir)))
    numbers = text.encode(source, facts["alphabet"])
    np.testing.assert_array_equal(data.train[:2], [numbers[:4], numbers[1:5]])
    np.testing.assert_array_equal(data.validation, numbers[3600:3800].reshape(50, 4))
    np.testing.assert_array_equal(data.test(), numbers[3800:].reshape(50, 4))
    code, out, errors = binaries.run("zoo.evaluate", f"--model={workdir}")
    assert code == 0, errors
    assert "bits/dim (exact)" in out and "rows: 50" in out


def test_draws_are_text(trained, tmp_path):
    workdir, _ = trained
    command = ("zoo.sample", f"--model={workdir}", "--n=20")
    for name in ("s.txt", "s.npy"):
        code, _, errors = binaries.run(*command, f"--output={tmp_path / name}")
        assert code == 0, errors
    drawn, numbers = (tmp_path / "s.txt").read_text(), np.load(tmp_path / "s.npy")
    assert numbers.shape == (20, 4) and len(drawn) == 100
    assert drawn[:4] == text.decode(numbers[0], "\n abcdef")
    assert drawn[95:] == text.decode(numbers[19], "\n abcdef") + "\n"


def test_another_text_needs_the_same_characters(trained, tmp_path):
    workdir, _ = trained
    other = save_text(tmp_path / "other.txt", "fed")
    command = ("zoo.evaluate", f"--model={workdir}", f"--data_path={other}")
    code, out, errors = binaries.run(*command)
    assert code == 0, errors
    model = registry.load(workdir)
    rows = text.encode(other.read_text(), "\n abcdef").reshape(-1, 4)
    assert f"{np.mean(model.bits_per_dim(rows[-50:])):.4f}" in out
    other.write_text("fed\nxfed" * 100)
    assert "got 'x' in line 2" in error_of(*command[1:], module=command[0])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--config.data.length=0",), "data.length: discrete_text needs a value"),
        (("--config.data.length=201",), "expected text of 4020 characters or more"),
        (("--config.model.args.levels=9",), "levels: expected none given, or 8, the number of"),
    ],
)
def test_what_does_not_fit_is_named(trained, tmp_path, flags, expected):
    path = f"--config.data.path={trained[1]}"
    assert expected in error_of(*QUICK, path, *flags, f"--workdir={tmp_path / 'r'}")
