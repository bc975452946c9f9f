"""Baselines by the zoo's commands: chosen by validation, tested, exported, drawn from."""

import json

import numpy as np
import pytest

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from zoo import candidates, modalities, registry
from zoo.evaluate import evaluate
from zoo.modalities.data import Data

SMALL = ("--config=gmm_moons", "--config.data.size=3000")
CANDIDATES = "--config.model.candidates.components="


def train(folder, *arguments):
    return binaries.run("zoo.train", *arguments, f"--workdir={folder}")


def test_from_training_to_draws(tmp_path):
    folder = tmp_path / "run"
    code, output, errors = train(folder, *SMALL, f"{CANDIDATES}(1,4)")
    assert code == 0, errors
    assert "gmm_moons, components=4: 28 parameters, candidate 2 of 2 chosen" in output
    assert {p.name for p in folder.iterdir()} == {
        *("card.json", "config.json", "metrics.jsonl", "model.weights.h5", "pictures"),
    }
    assert (folder / "pictures" / "overview.png").exists()
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["components"] for line in lines] == [1, 4]
    assert lines[1]["val_loss"] < lines[0]["val_loss"]
    card = registry.card(folder)
    assert card["chosen"] == {"components": 4}
    assert card["training"]["candidates"] == lines and card["training"]["seed"] == 0
    assert card["training"]["validation_loss_nats"] == lines[1]["val_loss"]

    model = zoo.load(folder)
    assert model.get_config()["components"] == 4
    before = model.log_prob([[0.0, 1.0]]).numpy()
    code, output, errors = binaries.run("zoo.evaluate", f"--model={folder}")
    assert code == 0 and "mean of log p_true - log q" in output, errors
    draws = tmp_path / "draws.npy"
    code, _, errors = binaries.run("zoo.sample", f"--model={folder}", "--n=9", f"--output={draws}")
    assert code == 0, errors
    np.testing.assert_array_equal(np.load(draws), model.sample(9, seed=0))
    code, _, errors = binaries.run("export", f"--model={folder}", f"--output={tmp_path / 'served'}")
    assert code == 0, errors

    # Again, as after a kill: the same numbers.
    (folder / registry.CARD).unlink()
    code, _, errors = train(folder, *SMALL, f"{CANDIDATES}(1,4)")
    assert code == 0, errors
    np.testing.assert_array_equal(zoo.load(folder).log_prob([[0.0, 1.0]]), before)
    other = error_of(*SMALL, f"--workdir={folder}", f"{CANDIDATES}(2,)")
    assert "another config: model.candidates.components is [1, 4] there and [2] here" in other


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((f"{CANDIDATES}(0,)",), "components: expected at least 1, got 0"),
        (
            (f"{CANDIDATES}(3001,)",),
            "rows: expected at least one for each of 3001 components, got 3000",
        ),
        (("--config.model.args.components=3",), "config: no entry 'components'"),
        (
            ("--config.data.source=target", "--config.data.name=u1"),
            "model.family: GaussianMixture is estimated from rows, but the target u1 has none",
        ),
    ],
)
def test_bad_flags(tmp_path, arguments, message):
    assert message in error_of(*SMALL, f"--workdir={tmp_path / 'w'}", *arguments)
    assert not (tmp_path / "w").exists()


class Remembers:
    """Better than `Broad` on the rows that it was estimated from, and worse on all others."""

    event_shape = (2,)

    def __init__(self, kind):
        self.kind = kind

    def estimate(self, rows):
        self.rows = {tuple(row) for row in rows}

    def log_prob(self, rows, context=None):
        if self.kind == "broad":
            return np.full(len(rows), -1.0)
        return np.array([0.0 if tuple(row) in self.rows else -3.0 for row in rows])


@pytest.mark.parametrize("kinds", [("broad", "remembers"), ("remembers", "broad")])
def test_validation_rows_choose_among_candidates(kinds):
    config = zoo.config("gmm_moons")
    config.model.candidates = {"kind": kinds}
    rows = np.random.default_rng(0).normal(size=(300, 2)).astype("float32")
    data = Data((2,), rows[:200], rows[200:], lambda: rows[:0], {})
    model, records, number = candidates.best_of(Remembers, config, data)
    assert model.kind == "broad" and kinds[number - 1] == "broad"
    assert {record["kind"]: record["val_loss"] for record in records} == {
        "broad": 1.0,
        "remembers": 3.0,
    }


def test_a_mixture_that_learns_its_few_rows_by_heart_is_not_chosen():
    config = zoo.config("gmm_moons")
    config.model.candidates = {"components": (2, 12)}
    config.data.size = 40
    data = modalities.load(config)
    values = registry_values(config)
    model, records, _ = candidates.best_of(
        lambda **arguments: registry.from_config(values, (2,), **arguments), config, data
    )
    few, many = records
    on_training_rows = {}
    for components in (2, 12):
        other = registry.from_config(values, (2,), components=components)
        other.estimate(data.train)
        on_training_rows[components] = -float(np.mean(other.log_prob(data.train)))
    assert on_training_rows[12] < on_training_rows[2] and few["val_loss"] < many["val_loss"]
    assert model.get_config()["components"] == 2


def registry_values(config):
    """The config as a work directory keeps it."""
    return json.loads(json.dumps(config.to_dict()))


def test_every_combination_of_candidates():
    config = zoo.config("gmm_moons")
    assert candidates.of_config(zoo.config("gaussian_moons")) == [{}]
    config.model.candidates = {"components": (2, 3), "regularization": (1e-6, 1e-3)}
    assert len(candidates.of_config(config)) == 4
    config.model.candidates = {"components": ()}
    with pytest.raises(ValueError, match="model.candidates.components: expected at least one"):
        candidates.of_config(config)


@pytest.mark.slow
def test_a_table_is_standardised(tmp_path):
    path = tmp_path / "rows.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.normal([100.0, 0.0], [20.0, 0.01], (500, 2)))
    for name in ("histogram_table", "gaussian_table"):
        folder = tmp_path / name
        code, _, errors = train(folder, f"--config={name}", f"--config.data.path={path}")
        assert code == 0, errors
        result = evaluate(folder)
        shift = np.log(20 * 0.01)
        gain = result["log_likelihood_standardized"] - result["log_likelihood"]
        assert gain == pytest.approx(shift, abs=0.2)
    # The entropy of two standard normals is 2.84.
    assert result["log_likelihood_standardized"] == pytest.approx(-2.84, abs=0.4)
