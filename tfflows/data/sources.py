"""Reads data sets of TensorFlow Datasets (TFDS), as tables or as features."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from tfflows.data.table import Table


def tfds_table(name: str, data_dir: str | os.PathLike, split: str = "train") -> Table:
    """Reads an official split of a prepared TFDS set as a table, with a row for each example.

    Every numeric feature of fixed shape is flattened into columns, images included; class labels,
    text and features of varying length are left out. Nothing is downloaded.

    Args:
      name: name of the set, with a config if it has one (`name/config`).
      data_dir: the folder that holds the prepared set.
      split: an official split, or a part of one (`train[:90%]`).

    Returns:
      The table. Columns are named after features (`feature_3` if a feature has several numbers).
      Values have the features' dtype (uint8 for an image), or the dtype that holds them all.

    Raises:
      ValueError: if the set is not there (the message gives the command that prepares it), has no
        such split or no numeric feature.
    """
    builder = prepared_builder(name, data_dir, split)
    features = _numeric_features(builder.info.features)
    if not features:
        raise ValueError(f"name: expected a data set with numeric features, got {name!r}")
    dataset = read_features(builder, split, features)
    dataset = dataset.map(
        lambda *values: tuple(tf.reshape(value, [-1]) for value in values),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    batches = list(dataset.batch(4096).as_numpy_iterator())
    if not batches:
        raise ValueError(f"split: expected rows, got none in {split!r}")
    parts = [np.concatenate(part) for part in zip(*batches, strict=True)]
    columns = []
    for key, part in zip(features, parts, strict=True):
        label = "_".join(key)
        width = part.shape[1]
        columns += [label] if width == 1 else [f"{label}_{i}" for i in range(width)]
    return Table(np.concatenate(parts, axis=1), columns)


def prepared_builder(name: str, data_dir: str | os.PathLike, split: str):
    """The builder of a prepared TFDS set, from its files alone.

    Args:
      name: name of the set, with a config if it has one (`name/config`).
      data_dir: the folder that holds the prepared set.
      split: an official split, or a part of one (`train[:90%]`).

    Returns:
      A `tfds.core.DatasetBuilder`, which downloads nothing.

    Raises:
      ValueError: if the set is not there (the message gives the command that prepares it), or has
        no such split.
    """
    import tensorflow_datasets as tfds

    data_dir = os.path.expanduser(os.fspath(data_dir))
    try:
        # From the files alone: works for sets that TFDS has no code for, and never downloads.
        builder = tfds.core.read_only_builder.builder_from_files(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        known = name.split("/")[0] in tfds.list_builders(with_community_datasets=False)
        advice = f"prepare it with: tfds build {name} --data_dir={data_dir}"
        raise ValueError(
            f"data_dir: expected a folder with the prepared data set {name!r}, got {data_dir!r}, "
            "which lacks it; "
            f"{advice if known else 'TFDS cannot prepare a data set of that name'}"
        ) from None
    base = split.split("[")[0]
    if base not in builder.info.splits:
        known = ", ".join(builder.info.splits)
        raise ValueError(f"split: expected one of {known}, got {split!r}")
    return builder


def read_features(builder, split: str, paths: list[tuple[str, ...]]) -> tf.data.Dataset:
    """The features at `paths`, one tuple of tensors per example, in the order of the files."""
    import tensorflow_datasets as tfds

    dataset = builder.as_dataset(
        split=split,
        read_config=tfds.ReadConfig(interleave_cycle_length=1),
        decoders=tfds.decode.PartialDecoding(_nested(paths)),
    )
    return dataset.map(
        lambda example: tuple(_at(example, path) for path in paths),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _numeric_features(features, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Paths of the numeric features of fixed shape."""
    import tensorflow_datasets as tfds

    paths = []
    # Sort by name: a data set's files keep its features in no fixed order.
    for key, feature in sorted(features.items()):
        path = (*prefix, key)
        if isinstance(feature, tfds.features.FeaturesDict):
            paths += _numeric_features(feature, path)
            continue
        spec = feature.get_tensor_info()
        labelled = isinstance(feature, tfds.features.ClassLabel)
        if labelled or not hasattr(spec, "shape") or None in spec.shape:
            continue
        if np.dtype(spec.np_dtype).kind in "fiub":
            paths.append(path)
    return paths


def _nested(paths: list[tuple[str, ...]]) -> dict:
    """`{"a": {"b": True}}` for the path `("a", "b")`."""
    tree: dict = {}
    for *parents, leaf in paths:
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = True
    return tree


def _at(example: dict, path: tuple[str, ...]) -> tf.Tensor:
    for key in path:
        example = example[key]
    return example
