"""Image data sets, from a user's files or from TFDS, as uint8 arrays in host memory."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tfflows.data import image_arrays, image_folder, sources, table
from tfflows.data.pixels import Fit, stack

_BATCHES = "train_data_batch_*.npz"


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Images of one size.

    Attributes:
      x: uint8 `[n, H, W, C]`, C 1 or 3.
      labels: int64 `[n]`, class numbers from 0; None if there are none.
      skipped: files that could not be read, each as "name: reason".
      class_names: a name for each class; None if there are no labels.
      enlarged: files of a folder that were smaller than the requested size.
    """

    x: np.ndarray
    labels: np.ndarray | None = None
    skipped: list[str] = dataclasses.field(default_factory=list)
    class_names: list[str] | None = None
    enlarged: list[str] = dataclasses.field(default_factory=list)


def tfds_images(
    name: str,
    data_dir: str | os.PathLike,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    crop: str | int = "center",
    resize: str = "area",
) -> Images:
    """Reads the images and class labels of a prepared TFDS set, in the order of its files.

    The image is the feature called `image`, or else the first image by name; the label is chosen
    in the same way. A set with labels of -1, which TFDS writes for unknown ones, counts as having
    none. Nothing is downloaded.

    Args:
      name: name of the set, with a config if it has one (`name/config`).
      data_dir: the folder that holds the prepared set.
      split: an official split, or a part of one (`train[:90%]`).
      size, channels, crop, resize: as for `read_images`.

    Returns:
      The images.

    Raises:
      ValueError: if the set is not there (the message gives the command that prepares it), has no
        such split or no 8-bit image, or its images differ in size and no `size` is given.
    """
    import tensorflow_datasets as tfds

    fit = Fit(size, crop, resize)
    _check_channels(channels)
    builder = sources.prepared_builder(name, data_dir, split)
    features = builder.info.features
    image = _first_of(features, tfds.features.Image, "image")
    if image is None:
        raise ValueError(f"name: expected a data set with images, got {name!r}")
    if np.dtype(features[image].np_dtype) != np.uint8:
        raise ValueError(f"name: expected uint8 images, got {features[image].np_dtype}")
    n = builder.info.splits[split].num_examples
    if not n:
        raise ValueError(f"split: expected images, got none in {split!r}")
    label = _first_of(features, tfds.features.ClassLabel, "label")
    paths = [(key,) for key in (image, label) if key is not None]
    dataset = sources.read_features(builder, split, paths)
    labels = []

    def examples():
        # Images of different sizes cannot be batched.
        batch = 1 if None in features[image].shape else 1024
        for values in dataset.batch(batch).as_numpy_iterator():
            labels.extend(values[-1] if label else ())
            yield from values[0]

    x = stack(_fitted(examples(), "example", fit), n, channels)
    if label is None or min(labels) < 0:
        return Images(x)
    return Images(x, np.array(labels, np.int64), class_names=list(features[label].names))


def read_images(
    path: str | os.PathLike,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    crop: str | int = "center",
    resize: str = "area",
    classes: Sequence[str] | None = None,
) -> Images:
    """Reads a user's own images from a folder or an array.

    A folder holds PNG, JPEG, WebP or BMP files at any depth, which are read in the order of their
    relative paths; see `pixels.decode` for palettes, transparency and orientation. If every file
    lies in a direct subfolder, and there are two subfolders or more, their sorted names are the
    classes. Hidden files and files of other kinds are ignored; files that cannot be read or cropped
    are listed in `skipped`.

    A .npy file holds uint8 `[n, H, W]` or `[n, H, W, C]`. An .npz file holds such an array under
    `x` or `images`, or as the only one, and may hold labels `[n]`, from 0, under `y` or `labels`.

    Downsampled ImageNet (https://arxiv.org/abs/1707.08819) is read from its own .npz archives: rows
    `[n, 3 * H * H]` under `data`, channels first, and labels from 1 under `labels`. The path is
    one archive, or a folder of several `train_data_batch_*.npz`.

    Args:
      path: a folder, an .npz or an .npy file.
      size: `(H, W)` to crop and resize images to; None: they already have one size.
      channels: 1 (grey, the luma of colours) or 3; None: 3 if any image has colours.
      crop: what to keep: `"center"`, the largest central window with the aspect ratio of `size`; a
        number, a central square with sides of that many pixels; `"none"`, everything.
      resize: `"area"`, the mean over the pixels that fall into one, or bicubic if an image is
        enlarged; `"none"`, only crop, to `size` itself if `crop` is `"center"`.
      classes: names of the classes, if they are known: then a single subfolder is a class, too.

    Returns:
      The images.

    Raises:
      ValueError: if an argument is not one of these; if the path does not exist or is of another
        kind; if the folder has no images, or none that can be read; if images differ in size and no
        `size` is given; if an array is not uint8, does not hold images, or cannot be read or
        cropped, or its labels do not fit.
    """
    fit = Fit(size, crop, resize)
    _check_channels(channels)
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise ValueError(
            f"path: expected a folder, .npz or .npy, got {str(path)!r}, which does not exist"
        )
    if path.is_dir() and (files := image_folder.find(path)):
        return Images(*image_folder.read(path, files, fit, channels, classes is not None))
    if path.is_dir():
        # In numerical order: batch 10 comes after batch 9.
        batches = sorted(path.glob(_BATCHES), key=lambda file: (len(file.name), file.name))
        if not batches:
            raise ValueError(
                f"path: expected a folder with images, got {str(path)!r}, which has none"
                f" (no {', '.join(image_folder.FORMATS)} and no {_BATCHES})"
            )
        x, labels = image_arrays.read(batches)
    elif path.suffix.lower() in (".npz", ".npy"):
        x, labels = image_arrays.read([path])
    else:
        raise ValueError(f"path: expected a folder, .npz or .npy, got the file {str(path)!r}")
    _, first = next(_fitted(x, "image", fit))
    if first.shape != x.shape[1:] or channels not in (None, x.shape[-1]):
        x = stack(_fitted(x, "image", fit), len(x), channels)
    names = None if labels is None else [str(i) for i in range(labels.max() + 1)]
    return Images(x, labels, class_names=names)


def split_rows(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of the training, validation and test images among `n`, as in `table.split`.

    Raises:
      ValueError: if there are fewer than 11 images.
    """
    if n < table.MIN_ROWS:
        raise ValueError(f"images: expected at least {table.MIN_ROWS} to split, got {n}")
    return table.split(n)


def numbered(images: Images, names: Sequence[str]) -> np.ndarray:
    """Labels int64 `[n]`: the position of each image's class name in `names`.

    Raises:
      ValueError: if an image's class is not in `names` (the message lists all such classes).
    """
    used = np.unique(images.labels)
    unknown = [images.class_names[i] for i in used if images.class_names[i] not in names]
    if unknown:
        raise ValueError(
            f"labels: expected only the classes {_shown(names)}, got also {_shown(unknown)}"
        )
    place = {name: i for i, name in enumerate(names)}
    number = np.array([place.get(name, -1) for name in images.class_names], np.int64)
    return number[images.labels]


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(map(repr, names[:20])) + more


def class_context(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels `[n]` as one-hot rows, float32 `[n, classes]`: the context of a conditional flow.

    Raises:
      ValueError: if labels are not whole numbers `[n]` from 0 to `classes - 1`.
    """
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        raise ValueError(f"classes: expected a whole number of at least 2, got {classes!r}")
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(f"labels: expected integers [n], got {labels.dtype} {list(labels.shape)}")
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"labels: expected 0 to {classes - 1}, got {labels.min()} to {labels.max()}"
        )
    return (labels[:, None] == np.arange(classes)).astype(np.float32)


def _check_channels(channels: int | None) -> None:
    if isinstance(channels, bool) or channels not in (None, 1, 3):
        raise ValueError(f"channels: expected 1, 3 or None, got {channels!r}")


def _first_of(features, kind: type, name: str) -> str | None:
    """Key of a feature of this kind: the one called `name`, or else the first by name."""
    keys = sorted(key for key, feature in features.items() if isinstance(feature, kind))
    return name if name in keys else next(iter(keys), None)


def _fitted(images: Iterable[np.ndarray], kind: str, fit: Fit) -> Iterator[tuple[str, np.ndarray]]:
    for i, image in enumerate(images):
        name = f"{kind} {i}"
        try:
            yield name, fit(image)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
