"""Small models, exported once for all tests of a session."""

import contextlib
import dataclasses
import fcntl
import functools
import os

import numpy as np
import pytest
import tensorflow as tf

import export
import tfflows
import zoo
from tests.marks import some
from tests.model_registry import REGISTRY, Entry

SMALL = {"hidden_units": (16,)}
# What is served is compared with the model for these by default, and for all by the slow tests.
SERVED = ("normal", "context", "beta", "images_of_classes")
FAMILIES = {
    "normal": Entry(lambda: tfflows.models.RealNVP(2, layers=2, **SMALL)),
    "context": REGISTRY["conditional"],
    "uniform": Entry(lambda: tfflows.models.AutoregressiveMixture(2, components=3, **SMALL)),
    "beta": Entry(lambda: tfflows.models.AffineFlow(2, base="beta(5,5)")),
    "images": REGISTRY["image_glow"],
    "images_of_classes": REGISTRY["image_glow_classes"],
    "images_variational": REGISTRY["image_flowpp"],
    "integers": REGISTRY["discrete_flow_autoregressive"],
    "categories": REGISTRY["categorical_flow"],
    "sets": REGISTRY["categorical_flow_of_sets"],
    "graphs": REGISTRY["graph_cnf"],
    "nodes": REGISTRY["node_cnf"],
}


@dataclasses.dataclass
class Exported:
    """A model, where it was exported to, and rows to run."""

    model: tfflows.models.Flow
    path: str
    rows: dict[str, np.ndarray]

    @functools.cached_property
    def signatures(self):
        """The export, loaded."""
        return tf.saved_model.load(self.path).signatures

    @property
    def context(self):
        return self.rows.get("context")


def make(name):
    """A small model of the family, with weights that do something, and rows to run."""
    model, _, context = FAMILIES[name].prepared()
    return model, rows_of(model, None if context is None else context[:8])


def rows_of(model, context=None):
    """Eight rows of each input of the signatures that all models have, and of a flow's."""
    rows = {} if context is None else {"context": context}
    seeds = tfflows.random.row_seeds(8, seed=10, start=5)
    if model.supports_temperature:
        rows["temperature"] = np.linspace(0.5, 1.5, 8)
    rows["x"] = model.sample(8, seed=3, context=rows.get("context"))
    if hasattr(model, "encode"):
        rows["z"] = model.encode(rows["x"], rows.get("context"))
    rows = {key: np.asarray(value, np.float32) for key, value in rows.items()}
    rows["x"] = rows["x"].astype(model.event_dtype.as_numpy_dtype)
    return {**rows, "seed": seeds.numpy()}


# Trained scales multiply the rounding of one batch size or another: NICE's by hundreds.
TRAINED = 1e-3
IMAGES = [name for name in zoo.registry.pretrained() if zoo.card(name)["data"]["source"] == "tfds"]


@pytest.fixture(params=IMAGES)
def image_model(request, tmp_path):
    """A model of images that comes with the zoo, exported."""
    model = zoo.load(request.param)
    context = None if model.context_shape is None else np.eye(8, *model.context_shape)
    return Exported(model, export.save(model, tmp_path / "model"), rows_of(model, context))


@contextlib.contextmanager
def once(tmp_path_factory, name):
    """A path that the workers of pytest-xdist share, while no other of them is here."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with open(folder / f"{name}.lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield folder / name


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """Exports a family of `FAMILIES` once, also where several workers share the tests."""

    @functools.cache
    def exported(name):
        model, rows = make(name)
        with once(tmp_path_factory, f"export_{name}") as directory:
            path = directory / "1"
            if not path.is_dir():  # which appears when it is whole
                export.save(model, directory)
        return Exported(model, str(path), rows)

    return exported


@pytest.fixture(params=some(FAMILIES, SERVED))
def exported(request, exports):
    """Each family in turn, exported."""
    return exports(request.param)


@pytest.fixture
def model():
    """A model that exports fast."""
    return tfflows.models.AffineFlow(2)


@pytest.fixture
def save_functions(tmp_path):
    """Writes a SavedModel of plain functions, name to (function, *specs); returns its path."""

    def save(**functions):
        module = tf.Module()
        signatures = {
            name: tf.function(function, input_signature=specs).get_concrete_function()
            for name, (function, *specs) in functions.items()
        }
        tf.saved_model.save(module, str(tmp_path / "1"), signatures=signatures)
        return str(tmp_path / "1")

    return save
