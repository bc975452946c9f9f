"""Reads images and labels from .npy and .npz files, including downsampled ImageNet's batches."""

from __future__ import annotations

import contextlib
import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

_ROWS_KEY = "data"  # in downsampled ImageNet
_IMAGE_KEYS = ("x", "images", _ROWS_KEY)
_LABEL_KEYS = ("y", "labels")
_MOST_CLASSES = 2**16  # larger labels are not class numbers


def read(paths: Sequence[pathlib.Path]) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads images uint8 `[n, H, W, C]` and labels int64 `[n]` for `images.read_images`.

    Raises:
      ValueError: if a file cannot be read, has no such array or labels that do not fit, or differs
        from the first in image size or in having labels.
    """
    parts, labels = [], []
    for path in paths:
        with _opened(path) as arrays:
            x, y = _read(arrays)
            if parts and x.shape[1:] != parts[0].shape[1:]:
                raise _FileError(
                    f"images: expected {list(parts[0].shape[1:])} as in {paths[0].name},"
                    f" got {list(x.shape[1:])}"
                )
            if labels and (y is None) != (labels[0] is None):
                raise _FileError(
                    "labels: expected in every file or in none, but this file differs from "
                    f"{paths[0].name}"
                )
            parts.append(x)
            labels.append(y)
    y = None if labels[0] is None else np.concatenate(labels)
    if len(parts) == 1:
        return parts[0], y
    n = sum(map(len, parts))
    x = np.empty([n, *parts[0].shape[1:]], np.uint8)
    while parts:  # free each part once it is copied, so that memory never holds all of them twice
        part = parts.pop()
        x[n - len(part) : n] = part
        n -= len(part)
    return x, y


class _FileError(Exception):
    """An error in the contents of a file that could be read."""


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Yields a file's arrays by key (`x` in a .npy); errors in the block name the file."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            yield {"x": loaded}
        else:
            with loaded:
                yield loaded
    except _FileError as error:
        raise ValueError(f"{path}: {error}") from None
    except Exception as error:  # numpy raises many kinds of error for a damaged file
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: cannot be read as {path.suffix}: {reason}") from error


def _read(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    key = next((key for key in _IMAGE_KEYS if key in arrays), None)
    if key is None:
        keys = [key for key in arrays if key not in _LABEL_KEYS]
        if len(keys) != 1:
            raise _FileError(f"expected images under key 'x' or 'images', got keys {list(arrays)}")
        key = keys[0]
    x = arrays[key]
    _check_dtype(x)
    if key == _ROWS_KEY and x.ndim == 2:
        x = _unrolled(x)
        labels = _labels(arrays, len(x), lowest=1)
        return x, None if labels is None else labels - 1
    if x.ndim == 3 and x.shape[-1] not in (1, 3):  # otherwise it would be one image
        x = x[..., None]
    if x.ndim != 4 or x.shape[-1] not in (1, 3) or not x.size:
        raise _FileError(
            "images: expected shape [n, H, W], or [n, H, W, C] with C = 1 or 3, got "
            f"{list(x.shape)}"
        )
    return x, _labels(arrays, len(x), lowest=0)


def _unrolled(rows: np.ndarray) -> np.ndarray:
    """Rows of downsampled ImageNet, channels first, as images `[n, H, H, 3]`."""
    n, columns = rows.shape
    side = math.isqrt(columns // 3)
    if not rows.size or 3 * side**2 != columns:
        raise _FileError(
            f"data: expected rows [n, 3 * H * H] of square images, got {list(rows.shape)}"
        )
    return np.ascontiguousarray(rows.reshape(n, 3, side, side).transpose(0, 2, 3, 1))


def _check_dtype(x: np.ndarray) -> None:
    if x.dtype != np.uint8:
        how = "(255 * x).round()" if x.dtype.kind == "f" else "x"
        how = (
            f"{how}.astype('uint8') if the values go from 0 to {1 if x.dtype.kind == 'f' else 255}"
        )
        raise _FileError(f"images: expected dtype uint8, got {x.dtype}; store {how}")


def _labels(arrays: Mapping[str, np.ndarray], n: int, lowest: int) -> np.ndarray | None:
    key = next((key for key in _LABEL_KEYS if key in arrays), None)
    if key is None:
        return None
    labels = arrays[key]
    if labels.shape == (n, 1):  # as in the arrays of keras.datasets
        labels = labels[:, 0]
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise _FileError(
            f"labels: expected integers [{n}], one class for each image, got {labels.dtype} "
            f"{list(labels.shape)}"
        )
    if labels.min() < lowest:
        raise _FileError(f"labels: expected classes counted from {lowest}, got {labels.min()}")
    if labels.max() >= _MOST_CLASSES:
        raise _FileError(
            f"labels: expected class numbers below {_MOST_CLASSES}, got {labels.max()}"
        )
    return labels.astype(np.int64)
