"""Tables that are hard to train on: repeated values, long tails, near copies, rare values."""

import json

import numpy as np
import pytest

from tests.marks import some
from zoo import modalities, registry
from zoo.configs import default
from zoo.evaluate import evaluate
from zoo.train import train

ROWS = 1500


def hard_table(seed=0):
    """Columns that each have broken a flow of tables."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=ROWS)
    return np.stack(
        [
            rng.standard_cauchy(ROWS),
            np.exp(3.0 * rng.normal(size=ROWS)),
            (rng.uniform(size=ROWS) < 0.003).astype(float),  # constant in most batches
            rng.integers(0, 3, ROWS),
            np.where(rng.uniform(size=ROWS) < 0.6, 0.0, rng.gamma(2.0, 1.0, ROWS)),
            normal,
            normal + 1e-3 * rng.normal(size=ROWS),
            2460310.5 + rng.uniform(size=ROWS),
        ],
        axis=1,
    )


@pytest.mark.parametrize("name", some(("realnvp_table", "maf_table", "nsf_table"), []))
def test_a_flow_trains_whatever_the_columns_hold(name, tmp_path):
    np.save(tmp_path / "hard.npy", hard_table())
    config = registry.config(name)
    config.data.path = str(tmp_path / "hard.npy")
    config.model.args.layers, config.model.args.hidden_units = 4, (32, 32)
    config.train.steps, config.train.eval_every = 200, 20
    config.train.jit_compile = False
    card = train(config, tmp_path / "run", verbose=0)
    assert set(card["data"]["cells"]) == {f"column_{i}" for i in (2, 3, 4)}
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    losses = np.array([[json.loads(line)[k] for k in ("loss", "val_loss")] for line in lines])
    # In nats: a run that blows up passes through thousands and millions.
    assert losses.max() < losses[0].max() + 10.0
    assert losses[-1, 0] < losses[0, 0] - 1.0
    result = evaluate(tmp_path / "run")
    assert np.isfinite(result["log_likelihood"])
    assert result["log_likelihood_two_standard_errors"] < 3.0


def test_dropout_follows_the_number_of_rows_unless_it_is_given():
    for rows, dropout in ((1_000, 0.2), (5_000, 0.1), (9_999, 0.1), (10_000, 0.0)):
        settled = default.settle(registry.config("maf_table"), rows)
        assert settled.model.args.dropout == dropout
    config = registry.config("maf_table")
    config.model.args.dropout = 0.3
    assert default.settle(config, 1_000).model.args.dropout == 0.3
    plain = registry.config("nsf_moons")
    assert default.settle(plain, 1_000).to_dict() == plain.to_dict()
    assert registry.build("maf_table", dim=3, layers=1, hidden_units=(4, 4)).event_shape == (3,)


@pytest.mark.slow
def test_the_rows_that_dropout_follows_are_those_of_training(tmp_path, monkeypatch):
    # Of 400 rows 324 are for training.
    choices = {"model.args.dropout": ((330, 0.3), (float("inf"), 0.1))}
    monkeypatch.setattr(default, "_BY_ROWS", choices)
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(400, 2)))
    config = registry.config("maf_table")
    config.data.path = str(tmp_path / "rows.npy")
    config.model.args.layers, config.model.args.hidden_units = 1, (4,)
    config.model.args.marginals = 0
    config.train.steps, config.train.jit_compile, config.train.steps_per_execution = 1, False, 1
    train(config, tmp_path / "run", verbose=0)
    stored = json.loads((tmp_path / "run" / registry.CONFIG).read_text())
    assert stored["model"]["args"]["dropout"] == 0.3


def test_a_copy_of_a_column_is_left_out_and_named(tmp_path, capsys):
    rng = np.random.default_rng(0)
    x, k = rng.normal(size=300), rng.integers(0, 5, 300)
    path = tmp_path / "copies.csv"
    np.savetxt(
        path,
        np.stack([x, 1.8 * x + 32.0, k, 2 * k], 1),
        header="c,f,k,l",
        comments="",
        delimiter=",",
    )
    config = registry.config("maf_table")
    config.data.path = str(path)
    data = modalities.load(config)
    # Columns of cells have probabilities, and may be copies.
    assert data.facts["columns"] == ["c", "k", "l"]
    assert data.facts["dropped"] == {"f": "a copy of 'c'"}
    assert data.train.shape == (243, 3) and data.mean.shape == data.std.shape == (3,)
    assert "copies.csv: left out: 'f' (a copy of 'c')" in capsys.readouterr().out
    config.model.args.dequantize = False
    assert modalities.load(config).facts["columns"] == ["c", "k"]
    # A trained model takes the columns that it knows.
    trained = {"columns": ["c", "f"]}
    assert modalities.load(config, trained).facts["columns"] == ["c", "f"]
