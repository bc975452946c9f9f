"""Images as a codec takes them, and stores them where the model does not code them."""

from __future__ import annotations

import dataclasses
import io
import math
import zlib
from collections.abc import Sequence

import numpy as np
import PIL.Image

from tfflows.codec import container

_MODES = {"L": 1, "RGB": 3, "RGBA": 4}  # of a PNG of 8 bits, with the number of channels
_LARGEST = 2**31  # bytes of an image


@dataclasses.dataclass(frozen=True, eq=False)
class Item:
    """An image to be compressed: its pixels, the file that it comes from, or both."""

    pixels: np.ndarray | None
    file: bytes | None

    def stored(self) -> tuple[int, bytes]:
        """The shortest of its forms without the model: its kind, and its bytes."""
        found = [] if self.file is None else [(container.FILE, bytes(self.file))]
        if self.pixels is not None:
            shape = np.array(self.pixels.shape, "<u4").tobytes()
            found.append((container.RAW, shape + zlib.compress(self.pixels.tobytes(), 9)))
            height, width, channels = self.pixels.shape
            # Pillow refuses to read a larger one.
            if channels in _MODES.values() and height * width <= PIL.Image.MAX_IMAGE_PIXELS:
                found.append((container.PNG, png(self.pixels)))
        return min(found, key=lambda pair: len(pair[1]))


def items(images, files: Sequence[bytes | None]) -> tuple[list[Item], int]:
    """The images to be compressed, and the number of axes of an array, 0 for a list.

    Raises:
      ValueError: if the images are not bytes, or there are files for an array, or not one for each
        image of a list.
    """
    axes, expected = 0, "images: expected uint8 [n, height, width, channels] or a list of images"
    if isinstance(images, np.ndarray):
        axes = images.ndim
        if images.dtype != np.uint8 or axes not in (3, 4):
            raise ValueError(f"{expected}, got {images.dtype} {list(images.shape)}")
        if len(files):
            raise ValueError(f"files: expected none for an array of images, got {len(files)}")
        images = images[..., np.newaxis] if axes == 3 else images
    elif not isinstance(images, list | tuple):
        raise ValueError(f"{expected}, got a {type(images).__name__}")
    if len(files) not in (0, len(images)):
        raise ValueError(f"files: expected one for each of {len(images)}, got {len(files)}")
    files = list(files) or [None] * len(images)
    found = [Item(*pair) for pair in zip(images, files, strict=True)]
    for number, item in enumerate(found):
        if not isinstance(item.file, bytes | bytearray | None):
            kind = type(item.file).__name__
            raise ValueError(f"files: expected bytes or None, got a {kind} for image {number}")
        if not _is_image(item.pixels) and (item.pixels is not None or item.file is None):
            got = type(item.pixels).__name__
            if isinstance(item.pixels, np.ndarray):
                got = f"{item.pixels.dtype} {list(item.pixels.shape)}"
            raise ValueError(
                f"images: expected uint8 [height, width, channels], got {got} for image {number}"
            )
    return found, axes


def _is_image(pixels) -> bool:
    array = isinstance(pixels, np.ndarray)
    return array and pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.size > 0


def png(pixels: np.ndarray) -> bytes:
    """A PNG of `uint8 [H, W, C]` with 1, 3 or 4 channels."""
    file = io.BytesIO()
    picture = PIL.Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def restored(kind: int, data: bytes) -> np.ndarray | bytes:
    """A stored image: bytes if it is a user's file, else `uint8 [H, W, C]`.

    Raises:
      ValueError: if it is damaged.
    """
    if kind == container.FILE:
        return data
    try:
        pixels = _from_png(data) if kind == container.PNG else _from_raw(data)
    except (OSError, ValueError, SyntaxError, zlib.error, PIL.Image.DecompressionBombError):
        pixels = None
    if not _is_image(pixels):
        raise ValueError("file: damaged: a stored image cannot be read")
    return pixels


def _from_png(data: bytes) -> np.ndarray | None:
    with PIL.Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
        if picture.mode not in _MODES:
            return None
        pixels = np.array(picture)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def _from_raw(data: bytes) -> np.ndarray | None:
    shape = tuple(int(size) for size in np.frombuffer(data[:12], "<u4"))
    size = math.prod(shape)
    if len(shape) != 3 or not 0 < size < _LARGEST:
        return None
    unpack = zlib.decompressobj()
    pixels = unpack.decompress(data[12:], size)
    if len(pixels) != size or unpack.decompress(unpack.unconsumed_tail, 1) or not unpack.eof:
        return None
    return None if unpack.unused_data else np.frombuffer(pixels, np.uint8).reshape(shape)


def checksum(images) -> int:
    """CRC-32 of the shapes and pixels of images, and of files that are bytes."""
    value = 0
    for image in images:
        if isinstance(image, bytes):
            value = zlib.crc32(image, value)
            continue
        value = zlib.crc32(np.array(image.shape, "<u4").tobytes(), value)
        value = zlib.crc32(np.ascontiguousarray(image).tobytes(), value)
    return value
