import json
import shutil
import sys

import keras
import numpy as np
import pytest

import zoo
from tests.marks import some
from tfflows import files, models
from zoo import registry
from zoo.configs import default

TABLES = {name for name in zoo.names() if zoo.config(name).data.source == "table"}


@pytest.fixture
def trained(tmp_path):
    """A folder as training leaves it."""
    config = zoo.config("affine_moons").to_dict()
    flow = registry.from_config(config, (2,))
    flow.save_weights(tmp_path / registry.WEIGHTS)
    card = {
        "name": "mine",
        "dim": 2,
        "data": {},
        "weights_sha256": files.sha256(tmp_path / registry.WEIGHTS),
    }
    (tmp_path / registry.CONFIG).write_text(json.dumps(config))
    (tmp_path / registry.CARD).write_text(json.dumps(card))
    return tmp_path


def test_names():
    cdf = {f"cdf_{c}_{b}" for c in ("gaussian", "logistic") for b in ("uniform", "beta", "normal")}
    others = {
        *("affine_moons", "ar_mixture_face", "ar_mixture_moons", "iaf_target", "lu_moons"),
        *("maf_moons", "nsf_ar_moons", "nsf_moons", "realnvp_moons"),
    }
    assert set(zoo.names()) >= cdf | others | {"maf_table", "nsf_table", "realnvp_table"}


def _large(name):
    return registry.is_of_paper_size(name)


# By default those that are quick to build; tests of what is trained build others.
QUICK = {
    *("affine_moons", "ar_mixture_face", "finite_dependency_moons", "gaussian_moons", "gmm_moons"),
    *("histogram_1d", "lu_moons", "naf_moons", "nsf_ar_moons", "qr_moons", "realnvp_moons"),
}


@pytest.mark.parametrize("name", some(zoo.names(), QUICK))
def test_every_config_builds_its_model(name):
    config = zoo.config(name)
    assert config.name == name and config.summary and config.paper.title and config.paper.url
    given = {
        "table": {"dim": 5},
        "text": {"dim": 5},
        "smiles": {"dim": 5},
        "images": {"shape": (8, 8, 1)},
    }
    flow = zoo.build(name, **given.get(config.data.source, {}))
    assert isinstance(flow, default.family(config.model.family))
    assert flow.name == name
    # The config says every argument of the family, so that each is a flag.
    assert set(flow.get_config()) >= set(config.model.args)
    if _large(name):
        return
    # A trip through JSON changes nothing.
    values = default.settle(config, sys.maxsize).to_dict()
    again = registry.from_config(json.loads(json.dumps(values)), flow.event_shape)
    x = np.full([2, *flow.event_shape], 0.3, np.float32)
    if flow.event_dtype.is_integer:
        x = np.full([2, *flow.event_shape], 3, np.uint8)
    context = None if flow.context_shape is None else np.eye(2, *flow.context_shape)
    np.testing.assert_array_equal(flow.log_prob(x, context), again.log_prob(x, context))


def test_build_with_overrides():
    flow = zoo.build("nsf_moons", layers=2, hidden_units=(8,), seed=4)
    assert isinstance(flow, models.NSF)
    assert flow.get_config()["layers"] == 2 and flow.seed == 4


def test_build_errors():
    with pytest.raises(ValueError, match="no model or folder 'nsf_mons'; did you mean nsf_moons"):
        zoo.build("nsf_mons")
    with pytest.raises(ValueError, match="layerz: NSF has no such argument"):
        zoo.build("nsf_moons", layerz=2)
    with pytest.raises(ValueError, match="dim: maf_table is for your own table"):
        zoo.build("maf_table")
    with pytest.raises(ValueError, match="model.family: expected one of .*, got 'Density'"):
        default.family("Density")


def test_a_family_is_found_and_its_base_class_is_not():
    assert default.family("NSF") is models.NSF
    with pytest.raises(ValueError, match="model.family"):
        default.family("Family")


def test_load_a_folder(trained):
    flow = zoo.load(trained)
    assert flow.log_prob(np.zeros([3, 2], np.float32)).shape == (3,)
    assert zoo.card(trained)["name"] == "mine"


def test_load_a_keras_file(tmp_path):
    flow = zoo.build("affine_moons", seed=1)
    flow.save(tmp_path / "mine.keras")
    x = np.ones([3, 2], np.float32)
    np.testing.assert_array_equal(zoo.load(tmp_path / "mine.keras").log_prob(x), flow.log_prob(x))


def test_a_keras_file_that_is_no_density(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input([2]), keras.layers.Dense(1)]).save(path)
    with pytest.raises(ValueError, match="model: expected a tfflows density .* got a Sequential"):
        zoo.load(path)
    path.write_bytes(b"junk")
    with pytest.raises(ValueError, match="model: .*other.keras cannot be loaded by Keras") as error:
        zoo.load(path)
    assert "\n" not in str(error.value)


def test_a_config_for_tables_is_no_trained_model():
    with pytest.raises(ValueError, match="maf_table has no weights.*load maf_htru2 or maf_protein"):
        zoo.load("maf_table")


def test_a_name_that_is_near_to_none():
    with pytest.raises(ValueError, match="'something else'; `python -m zoo` lists the models$"):
        zoo.load("something else")


def change(path, **entries):
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda f: (f / "model.weights.h5").unlink(), "has no model.weights.h5"),
        (
            lambda f: (f / "model.weights.h5").write_bytes(b"x"),
            "is damaged or belongs to another model",
        ),
        (lambda f: (f / "card.json").unlink(), "is not finished; run it again to resume"),
        (lambda f: (f / "config.json").unlink(), "expected a name or a work directory"),
        (lambda f: (f / "card.json").write_text("{"), "cannot be read"),
        (
            lambda f: (f / "card.json").write_text("[]"),
            "card.json is damaged: it has no entry 'name'",
        ),
        (lambda f: change(f / "card.json", dim="2"), "'dim' is '2', not of type int"),
        (
            lambda f: change(f / "card.json", dim=0),
            "config.json does not describe a valid model: dim: ",
        ),
        (lambda f: (f / "config.json").write_text("{}"), "config.json is damaged: it has no entry"),
        (lambda f: change(f / "config.json", model=3), "it has no entry 'model.family'"),
        (
            lambda f: change(f / "config.json", model={"family": "NSF", "args": {"layers": "two"}}),
            "config.json does not describe a valid model: ",
        ),
    ],
)
def test_damaged_folder(trained, damage, message):
    damage(trained)
    with pytest.raises(ValueError, match=message) as error:
        zoo.load(trained)
    assert "\n" not in str(error.value)


def test_weights_of_another_model(trained, tmp_path):
    """Even where somebody has written their checksum into the card."""
    foreign = zoo.build("nsf_moons", layers=1)
    weights = trained / registry.WEIGHTS
    foreign.save_weights(weights)
    with pytest.raises(ValueError, match="is damaged or belongs to another model"):
        zoo.load(trained)
    card = json.loads((trained / registry.CARD).read_text())
    card["weights_sha256"] = files.sha256(weights)
    (trained / registry.CARD).write_text(json.dumps(card))
    with pytest.raises(ValueError, match="does not fit config.json") as error:
        zoo.load(trained)
    assert "\n" not in str(error.value)


def test_weights_that_are_no_numbers(trained):
    flow = zoo.load(trained)
    flow.weights[0].assign(flow.weights[0].numpy() * np.nan)
    flow.save_weights(trained / registry.WEIGHTS)
    card = json.loads((trained / registry.CARD).read_text())
    card["weights_sha256"] = files.sha256(trained / registry.WEIGHTS)
    (trained / registry.CARD).write_text(json.dumps(card))
    with pytest.raises(ValueError, match="has weights that are not finite: "):
        zoo.load(trained)


def test_a_model_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "PRETRAINED", tmp_path)
    with pytest.raises(ValueError, match="has no weights of its own; train it with .*zoo.train"):
        zoo.load("nsf_moons")


def test_a_copy_of_a_folder_works(trained, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(trained, copy, ignore=shutil.ignore_patterns("elsewhere"))
    assert zoo.load(copy).event_shape == (2,)
