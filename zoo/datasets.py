"""The data that a config names: rows to train on, to choose by, and to test on once."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from tfflows.data import by_name, copies, grid, images, pipeline, sources, table, targets, toy
from tfflows.models import ImageFamily
from zoo import registry
from zoo.configs import default

SOURCES = ("toy", "target", "table", "tfds", "images")
_VALIDATION_ROWS = 10_000
_TEST_ROWS = 100_000
_EVALUATION_BATCH = 2048  # at most
_EVALUATION_IMAGES = 250
_CONSTANT = "constant over the training rows"  # why a column is left out
# Seeds of the three sets that are drawn from a toy, so far apart that no two configs share one.
_VALIDATION_SEED, _TEST_SEED = 1 << 32, 1 << 33
# Draw numbers of a reverse-KL run: those of training come first.
_VALIDATION_DRAWS, _TEST_DRAWS = 1 << 40, 1 << 41


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """Rows, and what is known of them.

    Attributes:
      event_shape: shape of a row.
      train, validation: rows `[n, *event_shape]`; draw numbers `[n]` for a target.
      test: gives the test rows; called by the evaluation alone.
      facts: what a card says of the data, in plain values.
      exact: the toy density, where the data are drawn from one.
      target: the unnormalised log-density, where the model is trained on one.
      mean, std: statistics of the training rows, for a model that standardises.
      cells: of the columns of a table whose values repeat, for a model that dequantizes.
      bounds: `(low, high)` of pictures, `[dim]` each.
      train_context, validation_context, test_context: contexts `[n, size]` that go with the rows,
        for a conditional model; the last gives them when called.
    """

    event_shape: tuple[int, ...]
    train: np.ndarray
    validation: np.ndarray
    test: Callable[[], np.ndarray]
    facts: dict
    exact: toy.Toy | None = None
    target: targets.Target | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    cells: grid.Cells | None = None
    bounds: tuple | None = None
    train_context: np.ndarray | None = None
    validation_context: np.ndarray | None = None
    test_context: Callable[[], np.ndarray | None] = lambda: None

    @property
    def dim(self) -> int:
        """Numbers in a row."""
        return math.prod(self.event_shape)

    def whole(self) -> Data:
        """These data with all rows for testing."""
        x = np.concatenate([self.train, self.validation, self.test()])
        context = self.test_context()
        if context is not None:
            context = np.concatenate([self.train_context, self.validation_context, context])
        return dataclasses.replace(self, test=lambda: x, test_context=lambda: context)

    def training(self, config: ConfigDict) -> Callable[[int], tf.data.Dataset]:
        """From the number of the first step to the batches from there on."""
        batch, seed = config.train.batch_size, config.train.seed
        if self.target is None:
            return lambda start: pipeline.training_dataset(
                self.train, batch, seed, start, self.train_context
            )

        def draws(start):
            dataset = tf.data.Dataset.counter(start)
            return dataset.map(lambda step: step * batch + tf.range(batch, dtype=tf.int64))

        if batch < 1:
            raise ValueError(f"batch_size: expected 1 or more, got {batch}")
        return draws

    def validating(self) -> tf.data.Dataset:
        """The validation rows in batches."""
        # As even as can be: XLA compiles the step once more for a last batch of another size.
        most = _EVALUATION_BATCH if len(self.event_shape) == 1 else _EVALUATION_IMAGES
        batches = -(-len(self.validation) // most)
        size = -(-len(self.validation) // batches)
        return pipeline.evaluation_dataset(self.validation, size, self.validation_context)


def event_shape(config: ConfigDict) -> tuple[int, ...] | None:
    """Shape of a row, where the config alone decides it."""
    if config.data.source == "toy":
        return (toy.get(config.data.name).dim,)
    if config.data.source == "target":
        return (2,)
    size = (config.data.height, config.data.width, config.data.channels)
    return size if is_of_images(config) and min(size) > 0 else None


def is_of_images(config: ConfigDict) -> bool:
    """Whether the model of a config is one of images."""
    return issubclass(default.family(config.model.family), ImageFamily)


def load(config: ConfigDict, trained: dict | None = None) -> Data:
    """The data of a config.

    Args:
      config: the config.
      trained: what the card of a trained model says of its data. A table's columns are then taken
        by their names in it, whatever they hold, and classes of images have the numbers that they
        have in it.

    Raises:
      ValueError: if they are not there, or not as they should be.
    """
    source = config.data.source
    if source not in SOURCES:
        raise ValueError(f"data.source: expected one of {', '.join(SOURCES)}, got {source!r}")
    if is_of_images(config):
        if source not in ("tfds", "images"):
            raise ValueError(f"data.source: a model of images needs tfds or images, got {source!r}")
    elif source == "images":
        raise ValueError(f"data.source: {config.model.family} is no model of images")
    if config.data.path and source not in ("table", "images"):
        raise ValueError(
            f"data.path: data of source {source!r} are not read from a file, got "
            f"{config.data.path!r}"
        )
    if is_of_images(config):
        return _images(config, (trained or {}).get("class_names"))
    if source in ("table", "tfds"):
        return (_table if source == "table" else _tfds)(config, trained or {})
    return (_toy if source == "toy" else _target)(config)


def load_of(
    model: str | os.PathLike, data_path: str | None = None, data_dir: str | None = None
) -> Data:
    """The data of a trained model, or others of their kind, as the model knows them.

    Args:
      model: a name or a work directory.
      data_path, data_dir: where the data are, if not where the model's config says.

    Raises:
      ValueError: if there is no such model, its data are not there, or they lack a column of the
        model or have a class that it does not know.
    """
    config = ConfigDict(registry.trained_config(model))
    config.data.path = data_path or config.data.path
    config.data.data_dir = data_dir or config.data.data_dir
    return load(config, registry.card(model)["data"])


def _toy(config: ConfigDict) -> Data:
    density, seed, size = toy.get(_need(config, "name")), config.train.seed, config.data.size
    return Data(
        event_shape=(density.dim,),
        train=density.sample(size, seed),
        validation=density.sample(_VALIDATION_ROWS, seed + _VALIDATION_SEED),
        test=lambda: density.sample(_TEST_ROWS, seed + _TEST_SEED),
        facts={
            "source": "toy",
            "name": density.name,
            "split": "drawn afresh for each part, from its own seed",
            "rows": {"train": size, "validation": _VALIDATION_ROWS, "test": _TEST_ROWS},
            "entropy_nats": density.entropy,
        },
        exact=density,
        bounds=density.bounds,
    )


def _target(config: ConfigDict) -> Data:
    target = targets.get(_need(config, "name"))
    return Data(
        event_shape=(target.dim,),
        train=np.zeros([0], np.int64),
        validation=_VALIDATION_DRAWS + np.arange(_VALIDATION_ROWS),
        test=lambda: _TEST_DRAWS + np.arange(_TEST_ROWS),
        facts={
            "source": "unnormalised density, trained by reverse KL divergence",
            "name": target.name,
            "split": "the model's own draws, numbered: training, validation and test share none",
            "rows": {
                "train": config.train.steps * config.train.batch_size,
                "validation": _VALIDATION_ROWS,
                "test": _TEST_ROWS,
            },
            "log_normalizer_nats": target.log_normalizer,
        },
        target=target,
        bounds=target.bounds,
    )


def _table(config: ConfigDict, trained: dict) -> Data:
    path = _need(config, "path")
    columns = trained.get("columns")
    read = table.read_table(
        path,
        _header(config.data.get("header", "auto")),
        config.data.get("keep_identifiers", False),
        columns,
        _all_columns(trained),
        tell=lambda sentence: print(sentence, flush=True),
    )
    try:
        splits = table.prepare(read, config.data.drop_constant, keep_constant=columns is not None)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    facts = {
        "source": "table",
        "name": os.path.basename(path),
        "sha256": registry.sha256(os.path.expanduser(path)),
        "split": "rows permuted by numpy.random.default_rng(0); the last 10 % are test, "
        "the last 10 % of the rest validation",
    }
    constant = dict.fromkeys(splits.dropped, _CONSTANT)
    splits, repeated = (splits, {}) if trained else _without_copies(splits, config)
    for name, reason in (constant | repeated).items():
        print(f"{os.path.basename(path)}: left out: {name!r} ({reason})", flush=True)
    left_out = read.left_out | constant | repeated
    if left_out:
        facts["all_columns"] = read.all_columns
    return _from_splits(splits, facts, left_out)


def _without_copies(splits: table.TableSplits, config: ConfigDict):
    """The parts without columns that repeat another, and why each of these was left out.

    A column that has cells, and with them a probability, may repeat another.
    """
    has_cells = np.zeros(len(splits.columns), bool)
    if config.model.args.get("dequantize", False):
        has_cells = _cells(splits).step > 0
    found = copies.find_copies(splits.train)
    found = {second: first for second, first in found.items() if not has_cells[second]}
    names = splits.columns
    kept = [i for i in range(len(names)) if i not in found]
    reasons = {names[second]: f"a copy of {names[first]!r}" for second, first in found.items()}
    if not found:
        return splits, reasons
    parts = {name: getattr(splits, name)[:, kept] for name in ("train", "validation", "test")}
    statistics = {"mean": splits.mean[kept], "std": splits.std[kept]}
    columns = [names[i] for i in kept]
    return dataclasses.replace(splits, **parts, **statistics, columns=columns), reasons


def _cells(splits: table.TableSplits) -> grid.Cells:
    # How a column is written is a fact of the whole file, not something that is learned from it.
    return grid.find_cells(np.concatenate([splits.train, splits.validation, splits.test]))


def _header(value: str) -> bool | None:
    values = {"auto": None, "yes": True, "no": False}
    if value not in values:
        raise ValueError(f"data.header: expected {', '.join(values)}, got {value!r}")
    return values[value]


def _all_columns(trained: dict) -> list[str] | None:
    """All columns, in order, of the table that a card is of; None if it does not say."""
    columns, dropped = trained.get("columns"), list(trained.get("dropped", []))
    if columns is None or "all_columns" in trained:
        return trained.get("all_columns")
    if not dropped:
        return columns
    names = columns + dropped
    if not by_name.are_default(names):
        return None
    return sorted(names, key=lambda name: int(name.removeprefix("column_")))


def _tfds(config: ConfigDict, trained: dict) -> Data:
    name, data_dir = _need(config, "name"), _need(config, "data_dir")
    train, validation, test = (
        sources.tfds_table(name, data_dir, part) for part in ("train[:90%]", "train[90%:]", "test")
    )
    columns = trained.get("columns")
    if columns is not None:
        places = by_name.positions(train.columns, len(train.columns), columns, train.columns)
        train, validation, test = (
            table.Table(part.values[:, places], columns) for part in (train, validation, test)
        )
    rows = [table.as_float64(part) for part in (train, validation, test)]
    std = rows[0].std(axis=0, dtype=np.float64)
    keep = (np.ptp(rows[0], axis=0) > 0) | (columns is not None)
    if not keep.all() and not config.data.drop_constant:
        first = train.columns[int(np.flatnonzero(~keep)[0])]
        raise ValueError(
            f"data: column {first!r} is constant over the training rows, as are "
            f"{int((~keep).sum()) - 1} others (data.drop_constant=True leaves them out)"
        )
    splits = table.TableSplits(
        *(part[:, keep] for part in rows),
        mean=rows[0].mean(axis=0, dtype=np.float64)[keep],
        std=std[keep],
        columns=[c for c, kept in zip(train.columns, keep, strict=True) if kept],
        dropped=[c for c, kept in zip(train.columns, keep, strict=True) if not kept],
    )
    split = "official; the last 10 % of train are validation"
    dropped = dict.fromkeys(splits.dropped, _CONSTANT)
    return _from_splits(splits, {"source": "tfds", "name": name, "split": split}, dropped)


def _from_splits(splits: table.TableSplits, facts: dict, dropped: dict[str, str]) -> Data:
    rows = {name: len(getattr(splits, name)) for name in ("train", "validation", "test")}
    return Data(
        event_shape=(splits.train.shape[1],),
        train=splits.train,
        validation=splits.validation,
        test=lambda: splits.test,
        facts=facts | {"rows": rows, "columns": splits.columns, "dropped": dropped},
        mean=splits.mean,
        std=splits.std,
        cells=_cells(splits),
    )


def _images(config: ConfigDict, class_names: list[str] | None = None) -> Data:
    """Images of TFDS or of a user, as uint8, with one-hot classes for a conditional model.

    With names of classes, those of a trained model, the classes have their numbers in these.
    """
    values = config.data
    size = (values.height, values.width) if values.height or values.width else None
    if size and min(size) < 1:
        raise ValueError(f"data.height, data.width: expected both or neither, got {size}")
    arguments = {
        "size": size,
        "channels": values.channels or None,
        "crop": values.crop,
        "resize": values.resize,
    }
    if values.source == "tfds":
        name, data_dir = _need(config, "name"), _need(config, "data_dir")
        whole, test = (
            images.tfds_images(name, data_dir, part, **arguments) for part in ("train", "test")
        )
        kept = len(whole.x) - len(whole.x) // 10
        if kept == len(whole.x):
            raise ValueError(f"data: expected at least 10 training images, got {kept}")
        parts = [(whole, slice(None, kept)), (whole, slice(kept, None)), (test, slice(None))]
        facts = {"name": name, "split": "official; the last 10 % of train are validation"}
    else:
        path = _need(config, "path")
        whole = images.read_images(path, **arguments, classes=class_names)
        parts = [(whole, rows) for rows in images.split_rows(len(whole.x))]
        facts = {
            "name": os.path.basename(os.path.normpath(path)),
            "split": "images permuted by numpy.random.default_rng(0); the last 10 % are test, "
            "the last 10 % of the rest validation",
            "skipped": whole.skipped,
        }
        if whole.enlarged:
            facts["enlarged"] = whole.enlarged
    train, validation, test = (part.x[rows] for part, rows in parts)
    shape = train.shape[1:]
    expected = event_shape(config)
    if expected and tuple(shape) != tuple(expected):
        raise ValueError(
            f"data: {config.name} expects images of {' x '.join(map(str, expected))}, got "
            f"{' x '.join(map(str, shape))}"
        )
    contexts = [None] * 3
    classes = config.model.args.classes
    if classes:
        if any(part.labels is None for part, _ in parts):
            raise ValueError(_no_classes(class_names))
        facts["class_names"] = class_names or parts[0][0].class_names
        labels = [images.numbered(part, facts["class_names"])[rows] for part, rows in parts]
        contexts = [images.class_context(part, classes) for part in labels]
    rows = {"train": len(train), "validation": len(validation), "test": len(test)}
    return Data(
        event_shape=tuple(shape),
        train=train,
        validation=validation,
        test=lambda: test,
        facts={"source": values.source} | facts | {"rows": rows},
        train_context=contexts[0],
        validation_context=contexts[1],
        test_context=lambda: contexts[2],
    )


def _no_classes(class_names: list[str] | None) -> str:
    """What to say of images without labels, to someone who trains or has a trained model."""
    if class_names is None:
        return "model.args.classes: the images have no labels; give 0"
    shown = ", ".join(class_names[:20])
    return f"data: expected images of the classes {shown}, a folder each, got images without labels"


def _need(config: ConfigDict, key: str) -> str:
    value = config.data[key]
    if not value:
        raise ValueError(
            f"data.{key}: {config.name} needs it: --config.data.{key}=... in training, "
            f"--{key if key.startswith('data_') else 'data_' + key}=... in evaluation"
        )
    return value
