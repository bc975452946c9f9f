"""Models, work directories and interrupted runs of earlier versions load and go on.

`earlier/COMMIT` was made by the code of that commit: three runs of 12 steps, and each as it was
when its checkpoint of step 8 had been written. `figures.json` has the configs, what was changed in
them, and what that code said of the finished models.
"""

import json
import pathlib
import shutil

import numpy as np
import pytest

import zoo
from tests.zoo.binaries import error_of
from zoo import registry, schema
from zoo.evaluate import evaluate
from zoo.train import train

EARLIER = pathlib.Path(__file__).parent / "earlier"
COMMITS = sorted(path.name for path in EARLIER.iterdir() if path.is_dir())
FIGURES = {c: json.loads((EARLIER / c / "figures.json").read_text()) for c in COMMITS}
RUNS = [(commit, name) for commit in COMMITS for name in FIGURES[commit]]
DEFAULT = [("5a7bc2f", "rows")]  # the slow tests run the others


def stored(folder, commit, name):
    """A copy of a work directory, and the path of its data where they are a file's."""
    work = shutil.copytree(EARLIER / commit / name, folder / "work")
    config = json.loads((work / registry.CONFIG).read_text())
    if not config["data"]["path"]:
        return work, None
    config["data"]["path"] = str(EARLIER / config["data"]["path"])
    (work / registry.CONFIG).write_text(json.dumps(config))
    return work, config["data"]["path"]


def command(commit, name, path):
    """The config of the command that made a run, with the defaults of today."""
    run = FIGURES[commit][name]
    config = zoo.config(run["config"])
    config.data.path = path
    config.update_from_flattened_dict(
        {k: tuple(v) if isinstance(v, list) else v for k, v in run["changes"].items()}
    )
    return config


def is_as_before(work, commit, name):
    run = FIGURES[commit][name]
    model = zoo.load(work)
    draws = model.sample(4, seed=3).numpy()
    np.testing.assert_allclose(draws.reshape(4, -1), run["draws"], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(model.log_prob(draws), run["log_prob"], rtol=1e-5, atol=1e-4)
    test = evaluate(work)
    for key, value in run["test"].items():
        assert test[key] == pytest.approx(value, rel=1e-5), key


def test_the_first_commit_and_the_last_are_there():
    assert {"5a7bc2f", "e15ac41"} <= set(COMMITS)


@pytest.mark.parametrize("commit, name", RUNS)
def test_a_finished_run_is_as_before(tmp_path, commit, name):
    is_as_before(stored(tmp_path, commit, name)[0], commit, name)


@pytest.mark.parametrize(
    "commit, name",
    [pytest.param(*run, marks=[] if run in DEFAULT else [pytest.mark.slow]) for run in RUNS],
)
def test_an_interrupted_run_goes_on_to_the_same_figures(tmp_path, commit, name):
    work, path = stored(tmp_path, commit, f"{name}_interrupted")
    train(command(commit, name, path), work, verbose=0)
    steps = [json.loads(line)["step"] for line in (work / "metrics.jsonl").read_text().splitlines()]
    assert sorted(set(steps)) == steps and steps[-1] == 12
    is_as_before(work, commit, name)
    assert json.loads((work / registry.CONFIG).read_text())["schema"] == schema.VERSION


def test_defaults_of_the_earlier_version_are_told(tmp_path, capsys):
    work, path = stored(tmp_path, "5a7bc2f", "rows_interrupted")
    config = command("5a7bc2f", "rows", path)
    config.train.seed = 7  # an error before the first step
    with pytest.raises(ValueError, match="another config"):
        train(config, work)
    printed = capsys.readouterr().out
    assert "an earlier version of tfflows began this run; keeping its values: " in printed
    assert "model.args.base=normal" in printed and "train.seed" not in printed


def test_what_is_asked_for_and_differs_is_still_refused(tmp_path):
    work, _ = stored(tmp_path, "5a7bc2f", "moons_interrupted")
    config = command("5a7bc2f", "moons", None)
    config.train.seed = 7
    with pytest.raises(ValueError, match="another config: train.seed is 0 there and 7 here"):
        train(config, work)


def test_an_entry_that_has_moved_is_compared_with_the_run(tmp_path):
    """It is not taken for one that the stored config lacks, whose value the run would decide."""
    work, path = stored(tmp_path, "e15ac41", "photos_interrupted")
    config = command("e15ac41", "photos", path)
    config.model.args.dequantization.width = 7
    with pytest.raises(ValueError, match="model.args.dequantization.width is 32 there and 7 here"):
        train(config, work)


def test_a_config_of_a_later_version_is_refused(tmp_path):
    work, _ = stored(tmp_path, "e15ac41", "moons")
    path = work / registry.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": schema.VERSION + 1}))
    for module in ("zoo.evaluate", "zoo.train"):
        flags = [f"--model={work}"]
        if module == "zoo.train":
            flags = ["--config=realnvp_moons", f"--workdir={work}"]
        assert "from a later version of tfflows" in error_of(*flags, module=module)


def test_shipped_configs_need_no_new_entries():
    """An entry that is added later is filled in where a config is read."""
    for name in zoo.pretrained():
        raw = json.loads((registry.PRETRAINED / name / registry.CONFIG).read_text())
        config = registry.trained_config(name)
        assert config["schema"] == schema.VERSION
        there = {schema.MOVED.get(key, key) for key in schema.flat(raw)}
        assert there <= set(schema.flat(config))
        assert set(config["data"]) == set(zoo.config(config["name"]).data)
