"""Reads a folder of image files."""

from __future__ import annotations

import collections
import concurrent.futures
import os
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tfflows.data.pixels import Fit, decode, stack

FORMATS = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp")
# These are images too: report them as skipped, so that nobody overlooks them.
_OTHER_FORMATS = (".gif", ".tif", ".tiff", ".heic", ".avif")
_CHUNK = 256  # files read at a time, so that an error does not have to wait for all of them


def find(root: pathlib.Path) -> list[pathlib.Path]:
    """Finds files that are named like images in a folder, at any depth, except hidden ones.

    Raises:
      ValueError: if a subfolder cannot be listed: it may be a class, and the numbers of the classes
        after it depend on it.
    """
    files = []

    def visit(folder: str, above: frozenset[str]):
        real = os.path.realpath(folder)
        if real in above:  # a link back to a folder that contains it
            return
        try:
            names = os.listdir(folder)
        except OSError as error:
            raise ValueError(f"path: cannot list {folder!r}: {error.strerror}") from None
        for name in names:
            place = os.path.join(folder, name)
            if name.startswith("."):
                continue
            if os.path.isdir(place):
                visit(place, above | {real})
            elif name.lower().endswith(FORMATS + _OTHER_FORMATS):
                files.append(pathlib.Path(place))

    visit(os.fspath(root), frozenset())
    return sorted(files, key=lambda file: file.relative_to(root).parts)


def read(
    root: pathlib.Path,
    files: list[pathlib.Path],
    fit: Fit,
    channels: int | None,
    one_class: bool = False,
) -> tuple[np.ndarray, np.ndarray | None, list[str], list[str] | None, list[str]]:
    """Reads files for `images.read_images`; with `one_class`, a single subfolder is a class, too.

    Returns:
      Images `[n, H, W, C]`, labels `[n]` or None, "name: reason" for each skipped file, names of
      the classes or None, and names of the files that were enlarged.

    Raises:
      ValueError: if no file can be read, or the images differ in size.
    """
    parts = [file.relative_to(root).parts for file in files]
    names = sorted({first for first, *_ in parts})
    number = {name: i for i, name in enumerate(names)}
    labels, skipped, enlarged = [], [], []

    def load(file: pathlib.Path) -> tuple[np.ndarray, bool] | str:
        try:
            image = decode(file.read_bytes())
            return fit(image), fit.enlarges(image)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels; shrink it first"
        except Exception as error:  # Pillow raises many kinds of error for damaged files
            return (str(error).strip() or type(error).__name__).splitlines()[0]

    def readable() -> Iterator[tuple[str, np.ndarray]]:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(files), _CHUNK):
                chunk = slice(start, start + _CHUNK)
                for part, loaded in zip(parts[chunk], pool.map(load, files[chunk]), strict=True):
                    name = "/".join(part)
                    if isinstance(loaded, str):
                        skipped.append(f"{name}: {loaded}")
                        continue
                    image, is_enlarged = loaded
                    labels.append(number[part[0]])
                    enlarged.extend([name] * is_enlarged)
                    yield name, image

    with warnings.catch_warnings():
        # Pillow only warns of an image that may be a decompression bomb, and reads it.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        x = stack(readable(), len(files), channels)
    if x is None:
        # Give one example of the most common reason.
        reasons = [line.split(": ", 1)[1] for line in skipped]
        reason, count = collections.Counter(reasons).most_common(1)[0]
        raise ValueError(
            f"path: expected images in {str(root)!r}, got none that can be read among "
            f"{len(files)} files; {count} failed like {skipped[reasons.index(reason)]}"
        )
    if len(names) < 2 - one_class or any(len(part) != 2 for part in parts):
        return x, None, skipped, None, enlarged
    return x, np.array(labels, np.int64), skipped, names, enlarged
