"""The weights that come with the zoo, and the command that makes them."""

import json
import os
import pathlib
import time

import numpy as np
import pytest

import zoo
from tests.marks import some
from tests.zoo import binaries
from tools import pins
from zoo import families, modalities, registry
from zoo.evaluate import evaluate
from zoo.schema import flat

SHIPPED = registry.pretrained()
SOURCES = {name: zoo.card(name)["data"]["source"] for name in SHIPPED}
FAMILIES = {name: zoo.card(name)["architecture"]["family"] for name in SHIPPED}
TOYS = [name for name, source in SOURCES.items() if source in ("toy", "target")]
IMAGES = [name for name, source in SOURCES.items() if source == "tfds"]
INTEGERS = [name for name in SHIPPED if families.modality(FAMILIES[name]) != "vectors"]
# By default some models of tables; the others are slow, being many.
TABLES = some(
    [name for name, source in SOURCES.items() if source == "table"], ("lu_htru2", "gmm_protein")
)
# And of toys and integers some of each kind, of those that are quick to compile.
QUICK = {
    *("affine_moons", "cdf_gaussian_beta", "gmm_moons", "histogram_1d", "iaf_target"),
    *("maf_moons", "nsf_moons", "realnvp_moons", "nice_mnist"),
    "discrete_eight_gaussians",
}


def _pinned(names):
    return some(names, QUICK & {*names})


def test_every_pretrained_model_is_pinned():
    assert sorted(path.stem for path in pins.FOLDER.iterdir()) == SHIPPED


@pytest.mark.parametrize("name", _pinned(INTEGERS))
def test_pinned_log_probabilities_and_integers(name):
    flow, pinned = zoo.load(name), json.loads(pins.path(name).read_text())
    draws = np.array(pinned["draws"], flow.event_dtype.as_numpy_dtype)
    context = modalities.of(flow).contexts(flow, 2)
    log_prob = flow.log_prob(draws, context)
    np.testing.assert_allclose(log_prob, pinned["log_prob"], rtol=1e-4, atol=2e-3)
    # Of numbers at a step between two integers, another machine's rounding may choose the other.
    again = flow.sample(2, seed=10, context=context).numpy()
    assert (again != draws).sum() <= max(1, 0.01 * draws.size)
    assert flow.event_dtype != "uint8" or np.abs(again.astype(int) - draws).max() <= 1


@pytest.mark.parametrize("name", [*_pinned([n for n in TOYS if n not in INTEGERS]), *TABLES])
def test_pinned_log_probabilities_and_draws(name):
    began = time.monotonic()
    flow = zoo.load(name)
    assert time.monotonic() - began < 5
    pinned = json.loads(pins.path(name).read_text())
    log_prob = flow.log_prob(np.array(pinned["points"], np.float32))
    np.testing.assert_allclose(log_prob, pinned["log_prob"], atol=1e-3, rtol=1e-3)
    np.testing.assert_allclose(flow.sample(4, seed=10), pinned["draws"], atol=1e-3, rtol=1e-3)


# What weights made before an entry was there, or was left open, have in its place.
_EARLIER = {"data.keep_identifiers": (True,), "train.patience": (0,)}


@pytest.mark.parametrize("name", SHIPPED)
def test_cards(name):
    card = zoo.card(name)
    assert card["name"] == name and card["paper"]["title"] and card["data"]["split"]
    assert card["parameters"] > 0 and card["training"]["seconds"] > 0
    assert card["test"]["rows"] > 0
    assert (registry.PRETRAINED / name / registry.WEIGHTS).stat().st_size < 6_000_000
    config = registry.trained_config(name)
    assert config["data"]["path"] is None  # of the machine that it was trained on
    values = json.loads(json.dumps(zoo.config(config["name"]).to_dict()))
    source = values["data"]["source"]
    if source in registry.FILES:  # named after the file that it was trained on
        assert name == config["name"].removesuffix(source) + card["data"]["name"].split(".")[0]
    there, here = (
        flat({key: part[key] for key in ("model", "train", "data")}) for part in (config, values)
    )
    for key in there.keys() | here.keys():
        if key in _EARLIER and there.get(key) in _EARLIER[key]:
            continue
        if here.get(key, 0) is None:  # left open, and settled by the data
            continue
        assert there.get(key) == here.get(key), f"{name}: weights and config differ in {key}"


def _recomputed(name, table=None):
    recorded, again = zoo.card(name)["test"], evaluate(name, data_path=table)
    more = {"bits_per_dim_of_more_draws", "bits_per_node_of_more_draws"}
    assert again.keys() == recorded.keys() - more
    for key, value in again.items():
        # Of draws, another machine's rounding may change a few.
        tolerance = 2e-3 if key == "possible" else 1e-4
        assert value == pytest.approx(recorded[key], abs=tolerance), key


@pytest.mark.parametrize("name", [name for name in TOYS if name == "nsf_moons"])
def test_figure_of_the_demos_card(name):
    _recomputed(name)
    assert zoo.card(name)["test"]["kl_divergence"] <= 0.03


@pytest.mark.slow
@pytest.mark.parametrize("name", TOYS)
def test_figures_of_every_card(name):
    _recomputed(name)


@pytest.mark.parametrize("name", TABLES)
def test_figures_of_the_cards_of_tables(name):
    """The UCI table is not the project's to carry: TFFLOWS_TABLES names a folder that has it."""
    table = pathlib.Path(os.environ.get("TFFLOWS_TABLES", "")) / zoo.card(name)["data"]["name"]
    if not table.is_file():
        pytest.skip(f"needs {table.name} in the folder that TFFLOWS_TABLES names")
    _recomputed(name, str(table))


@pytest.mark.slow
@pytest.mark.parametrize("name", IMAGES)
def test_figures_of_the_cards_of_images(name):
    """The first test images; TFFLOWS_TFDS names a folder of prepared TFDS sets."""
    folder = pathlib.Path(os.environ.get("TFFLOWS_TFDS", ""))
    if not (folder / zoo.card(name)["data"]["name"]).is_dir():
        pytest.skip("needs the set in the folder that TFFLOWS_TFDS names")
    recorded = zoo.card(name)["test"]
    recorded = recorded.get("bits_per_dim_of_more_draws", recorded)  # an exact model has no more
    samples, rows = recorded.get("samples"), recorded["rows"]
    again = evaluate(name, data_dir=str(folder), samples=samples, rows=rows)
    assert again["bits_per_dim"] == pytest.approx(recorded["bits_per_dim"], abs=2e-4)


def test_one_command_makes_a_model(tmp_path, monkeypatch):
    config = zoo.config("affine_moons")
    config.train.steps, config.train.jit_compile, config.data.size = 20, False, 1000
    monkeypatch.setattr(registry, "config", lambda name: config)
    output = tmp_path / "pretrained"
    code, text, errors = binaries.run("zoo.pretrain", "affine_moons", f"--output={output}")
    assert code == 0 and "mean test log-likelihood" in text, errors
    folder = output / "affine_moons"
    assert {p.name for p in folder.iterdir()} == {"card.json", "config.json", "model.weights.h5"}
    assert zoo.card(folder)["test"]["rows"] == 100_000
    assert zoo.load(folder).name == "affine_moons"


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "names: expected names of models, or --all"),
        (["nsf_moons"], "output: expected --output=DIR, the folder to write the models to"),
        (["nsf_mons"], "no model or folder 'nsf_mons'; did you mean nsf_moons"),
        (["maf_table"], "table: maf_table needs --table=FILE"),
        (["glow_mnist"], "data_dir: glow_mnist needs --data_dir=FOLDER with TFDS data sets"),
        (["glow_images"], "glow_images is for your own images"),
        (["--all"], "table: cubic_spline_table, ffjord_table, "),
        (
            ["affine_moons", "--output=/dev/null/d"],
            "output: expected a folder, but /dev/null is a file",
        ),
    ],
)
def test_bad_flags_of_pretrain(arguments, message):
    where = [] if message.startswith("output") else ["--output=never_made"]
    code, _, errors = binaries.run("zoo.pretrain", *arguments, *where)
    assert code == 2 and message in errors.splitlines()[-1]
