"""Colourings of graphs through the commands."""

import numpy as np
import pytest

import zoo
from tests.small_graphs import NODES
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from tfflows import models
from tfflows.data import colourings, graphs
from zoo import modalities, registry
from zoo.modalities.colourings import draws, load

QUICK = (
    *("--config=graphcnf_colouring", "--config.train.steps=20", "--config.train.eval_every=10"),
    *(f"--config.model.args.{name}={value}" for name, value in NODES.items()),
    *("--config.data.size=50", "--config.train.warmup=0", "--config.train.jit_compile=False"),
)


@pytest.fixture
def few(monkeypatch):
    """Small parts, as each graph takes milliseconds."""
    monkeypatch.setattr(load, "_VALIDATION_ROWS", 30)
    monkeypatch.setattr(load, "_TEST_ROWS", 40)


def data_of(trained=None, **entries):
    config = registry.config("graphcnf_colouring")
    config.data.size = 20
    config.data.update(entries)
    return modalities.load(config, trained)


@pytest.mark.usefixtures("few")
def test_parts_are_proper_colourings_of_different_graphs():
    data = data_of()
    parts = [
        load.joined(data.train, data.train_context),
        load.joined(data.validation, data.validation_context),
        load.joined(data.test(), data.test_context()),
    ]
    assert [len(part) for part in parts] == [20, 30, 40]
    assert all(colourings.valid(part).all() for part in parts)
    assert len(np.unique(np.concatenate(parts)[:, 20:], axis=0)) == 90
    first = colourings.draw(20, 0).vectors
    np.testing.assert_array_equal(parts[0], first)
    assert set(np.unique(data.train_context)) == {0.0, 1.0}
    # A trained model needs neither of the first two parts.
    again = data_of(trained=data.facts)
    assert len(again.train) == len(again.validation) == 0 and again.facts == data.facts
    np.testing.assert_array_equal(again.test(), data.test())
    config = registry.config("graphcnf_colouring")
    config.model.args.node_types = 4
    with pytest.raises(ValueError, match="model.args.node_types: expected 3 for graph_colouring"):
        modalities.load(config)
    with pytest.raises(ValueError, match="data.name: expected graph_colouring, got 'moons'"):
        data_of(name="moons")


@pytest.mark.usefixtures("few")
def test_figures_of_a_known_distribution(monkeypatch):
    data = data_of()
    x, context = data.test(), data.test_context()
    rows = load.joined(x, context)
    log_q = colourings.log_prob(rows) - 0.5
    drawn = x.copy()
    drawn[:10, 0] = 1 + drawn[:10, 0] % 3  # may still be proper
    monkeypatch.setattr(draws.batches, "sample", lambda *arguments, **_: drawn)
    found = draws.figures(None, x, context, log_q)
    assert found["kl_divergence"] == pytest.approx(0.5)
    optimum = colourings.Colourings(rows, colourings.counts(rows)).optimum
    assert found["entropy_bits_per_node"] == pytest.approx(optimum)
    gap = np.mean(0.5 / np.log(2.0) / graphs.sizes(rows))
    assert found["bits_per_node"] == pytest.approx(optimum + gap)
    proper = colourings.valid(load.joined(drawn, context)).mean()
    assert found["possible"] == pytest.approx(proper) and proper < 1.0


def test_samples_are_files_of_coloured_graphs(tmp_path):
    model = models.NodeCNF(20, **NODES)
    model.initialize(*load.split(colourings.draw(50, 0).vectors))
    five = draws.draw(model, 5, seed=1, start=0)
    later = draws.draw(model, 3, seed=1, start=2)
    np.testing.assert_array_equal(five.x[2:], later.x)
    graphs.check(five.x, 3, 1)
    five.write(tmp_path / "x.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), five.x)
    five.write(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000
    assert five.note == f"{colourings.valid(five.x).sum()} of 5 colourings are proper"
    contexts = modalities.of(model).contexts(model, 4)
    assert contexts.shape == (4, 210) and contexts.sum() > 4 * 20
    assert (model.sample(4, seed=0, context=contexts).numpy()[:, :10] > 0).all()
    for wrong in ({"n": 0}, {"n": 1, "start": -1}):
        with pytest.raises(ValueError, match=f"{list(wrong)[-1]}: expected "):
            draws.draw(model, **{"n": 1, "seed": 0, "start": 0} | wrong)
    with pytest.raises(ValueError, match="model: expected one of 20 nodes of 3 types, got 5 of 3"):
        draws.draw(models.NodeCNF(5, **NODES), 1, 0, 0)


@pytest.mark.slow
def test_a_model_is_trained_tested_and_drawn_from(tmp_path):
    run = tmp_path / "run"
    code, _, errors = binaries.run("zoo.train", *QUICK, f"--workdir={run}")
    assert code == 0, errors
    assert (run / "pictures" / "samples.png").stat().st_size > 1000
    assert zoo.card(run)["data"]["name"] == "graph_colouring"
    code, out, errors = binaries.run("zoo.evaluate", f"--model={run}", "--rows=100")
    assert code == 0, errors
    assert "mean test loss (bound from 1 draw of noise): " in out
    assert "least possible: 0." in out
    assert "of 100 drawn colourings are proper" in out
    code, out, errors = binaries.run(
        "zoo.sample", f"--model={run}", "--n=3", f"--output={tmp_path / 'x.npy'}"
    )
    assert code == 0 and "of 3 colourings are proper" in out, errors
    assert np.load(tmp_path / "x.npy").shape == (3, 210)
    wrong = error_of(f"--model={run}", f"--output={tmp_path / 'x.csv'}", module="zoo.sample")
    assert "output: expected a file ending in .png, .npy, got" in wrong
