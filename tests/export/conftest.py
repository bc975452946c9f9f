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
from tests import small_images
from tests.marks import some
from tests.small_flows import shake

SMALL = {"hidden_units": (16,)}
# What is served is compared with the model for these by default, and for all by the slow tests.
SERVED = ("normal", "context", "beta", "images_of_classes")
FAMILIES = {
    "normal": lambda: tfflows.models.RealNVP(2, layers=2, **SMALL),
    "context": lambda: tfflows.models.MAF(2, context_dim=3, layers=2, **SMALL),
    "uniform": lambda: tfflows.models.AutoregressiveMixture(2, components=3, **SMALL),
    "beta": lambda: tfflows.models.AffineFlow(2, base="beta(5,5)"),
    "images": small_images.IMAGES["glow"],
    "images_of_classes": small_images.IMAGES["glow_classes"],
    "images_variational": small_images.IMAGES["flowpp"],
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
    model = FAMILIES[name]()
    rng = np.random.default_rng(0)
    conditional = model.context_shape is not None
    context = rng.standard_normal([8, 3]) if conditional else None
    data = rng.standard_normal([64, *model.event_shape])
    if model.event_dtype == tf.uint8:
        data = rng.integers(0, 256, data.shape)
    model.initialize(data, rng.standard_normal([64, 3]) if conditional else None)
    shake(model, scale=0.05 if model.event_dtype == tf.uint8 else 0.3)
    return model, rows_of(model, context)


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
