"""Tables of whole numbers through the commands, and toys on a grid."""

import json
import types

import numpy as np
import pytest

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from tfflows import models
from zoo import modalities, registry

QUICK = (
    *("--config=idf_table", "--config.model.args.layers=1", "--config.model.args.width=8"),
    *("--config.model.args.components=2", "--config.train.steps=60"),
    *("--config.train.eval_every=30", "--config.train.jit_compile=False"),
)


def save_table(path, change=lambda x: x):
    rng = np.random.default_rng(0)
    first = rng.poisson(4, 400)
    x = change(np.stack([first, 1000 + 2 * first, rng.integers(-9, 0, 400)], 1).astype(float))
    np.savetxt(path, x, fmt="%.10g", delimiter=",", header="kids,score,grade", comments="")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A work directory, and the table that it was trained on."""
    folder = tmp_path_factory.mktemp("integers")
    path = save_table(folder / "x.csv")
    code, out, errors = binaries.run(
        "zoo.train", *QUICK, f"--config.data.path={path}", f"--workdir={folder / 'run'}"
    )
    assert code == 0, errors
    assert "bits/dim" in out
    return folder / "run", path


def test_a_table_is_trained_on_and_tested(trained):
    workdir, path = trained
    least = zoo.card(workdir)["data"]["least"]
    x = np.loadtxt(path, delimiter=",", skiprows=1)
    model = registry.load(workdir)
    np.testing.assert_array_equal(model.least, least)
    # The columns lie in the middle of the 256 integers.
    middle = (x.min(0) + x.max(0)) / 2 - (np.array(least) + 127.5)
    assert np.abs(middle).max() <= 1
    code, out, errors = binaries.run("zoo.evaluate", f"--model={workdir}")
    assert code == 0, errors
    assert "bits/dim (exact)" in out and "mean test log-likelihood" in out
    data = modalities.load(registry.ConfigDict(registry.trained_config(workdir)))
    result = modalities.of(model).test(model, data)
    log_q = np.float64(model.log_prob(data.test()))
    assert result["bits_per_dim"] == pytest.approx(-log_q.mean() / 3 / np.log(2.0), rel=1e-5)


def test_samples_are_whole_numbers_under_the_tables_names(trained, tmp_path):
    workdir, _ = trained
    code, _, errors = binaries.run(
        "zoo.sample", f"--model={workdir}", "--n=20", f"--output={tmp_path / 's.csv'}"
    )
    assert code == 0, errors
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert lines[0] == "kids,score,grade" and len(lines) == 21 and "." not in "".join(lines[1:])


def test_another_table_is_read_by_the_names_of_its_columns(trained, tmp_path):
    workdir, path = trained
    x = np.loadtxt(path, delimiter=",", skiprows=1)
    x[0, 0] = 5000  # beyond the model's integers
    x[1, 0] += 2.0**32  # which int32 would take for the number that it was
    other = tmp_path / "other.csv"
    np.savetxt(
        *(other, x[:, ::-1]), fmt="%d", delimiter=",", header="grade,score,kids", comments=""
    )
    code, out, errors = binaries.run(
        *("zoo.evaluate", f"--model={workdir}", f"--data_path={other}", "--part=all"),
        f"--output={tmp_path / 'r.json'}",
    )
    assert code == 0, errors
    figures = json.loads((tmp_path / "r.json").read_text())
    assert figures["bits_per_dim"] is None  # two rows are -inf
    data = registry.data_of(workdir, str(other))
    scores = registry.load(workdir).log_prob(data.whole().test()).numpy()
    assert np.isneginf(scores).sum() == 2 and np.isfinite(scores).sum() == 398


def spread(x):
    x[3, 1] = 9000
    return x


def halves(x):
    x[5, 2] = -0.5
    return x


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (halves, "data: expected columns of whole numbers, got 'grade' with others"),
        (spread, "--config.model.args.levels=8192 makes room"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, change, message):
    path = save_table(tmp_path / "x.csv", change)
    work = tmp_path / "run"
    error = error_of(*QUICK, f"--config.data.path={path}", f"--workdir={work}")
    assert message in error and not work.exists()


@pytest.mark.slow
def test_a_toy_on_a_grid(tmp_path):
    arguments = (*QUICK, "--config.data.source=toy", "--config.data.name=two_moons")
    code, _, errors = binaries.run(
        *("zoo.train", *arguments, "--config.model.args.levels=16"),
        *("--config.data.size=2000", f"--workdir={tmp_path / 'run'}"),
    )
    assert code == 0, errors
    assert (tmp_path / "run/pictures/overview.png").exists()
    code, out, errors = binaries.run("zoo.evaluate", f"--model={tmp_path / 'run'}", "--rows=5000")
    assert code == 0, errors
    assert "mean of log p_true - log q" in out and "best possible log-likelihood" in out


def test_priors_start_from_many_rows_of_a_table():
    """One row, or the few of a batch, would say little of four columns."""
    x = np.random.default_rng(0).integers(0, 50, (4000, 4)).astype(np.int32)
    model = models.IntegerDiscreteFlow(4, levels=64, layers=1, width=4)
    modalities.get("integers").initialize(model, types.SimpleNamespace(train=x, exact=None))
    # Every number has log2(50) bits, and its range of the 64 is to be found out.
    assert np.mean(model.bits_per_dim(x)) < np.log2(50) + 0.25
