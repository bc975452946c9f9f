"""Images from TFDS or from a user."""

from __future__ import annotations

import os

from ml_collections import ConfigDict

from tfflows.data import images
from zoo.modalities.data import Data, need


def load(
    config: ConfigDict, expected: tuple[int, ...] | None, class_names: list[str] | None = None
) -> Data:
    """Images from TFDS or from a user, as uint8, with one-hot classes for a conditional model.

    Args:
      config: the config.
      expected: shape of an image, if the config gives one.
      class_names: names of a trained model's classes; the number of a class is its index in these.
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
        name, data_dir = need(config, "name"), need(config, "data_dir")
        whole, test = (
            images.tfds_images(name, data_dir, part, **arguments) for part in ("train", "test")
        )
        kept = len(whole.x) - len(whole.x) // 10
        if kept == len(whole.x):
            raise ValueError(f"data: expected at least 10 training images, got {kept}")
        parts = [(whole, slice(None, kept)), (whole, slice(kept, None)), (test, slice(None))]
        facts = {"name": name, "split": "official; the last 10 % of train are validation"}
    else:
        path = need(config, "path")
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
    if expected and tuple(shape) != tuple(expected):
        raise ValueError(
            f"data: {config.name} expects images of {' x '.join(map(str, expected))}, got "
            f"{' x '.join(map(str, shape))}"
        )
    contexts = [None] * 3
    classes = config.model.args.get("classes", 0)
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
    """The error message for images without labels, in training or with a trained model."""
    if class_names is None:
        return "model.args.classes: expected 0, because the images have no labels"
    shown = ", ".join(class_names[:20])
    return (
        f"data: expected images of the classes {shown}, with a folder for each, got images "
        "without labels"
    )
