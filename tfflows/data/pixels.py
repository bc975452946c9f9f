"""Pixels of an image, uint8 `[H, W, C]`: decoding, cropping, resizing, grey and colour."""

from __future__ import annotations

import dataclasses
import io
import math
import operator
from collections.abc import Iterable

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24  # offset at which a PNG gives the bits per channel


@dataclasses.dataclass(frozen=True)
class Fit:
    """Brings images to one size: crops them about the centre, then resizes them.

    Shrinking takes the mean over the pixels that fall into one (Pillow's `BOX`); enlarging is
    bicubic. This is decided for each axis separately.

    Attributes:
      size: `(H, W)`, or None: images are only cropped.
      crop: `"center"`, the largest window with the aspect ratio of `size` (or `size` itself if
        `resize` is `"none"`); a number (or its digits), a square with sides of that many pixels;
        `"none"`, nothing is cut and resizing may change the aspect ratio.
      resize: `"area"`, or `"none"`: an image must have this size after cropping, or is refused.

    Raises:
      ValueError: if an argument is not one of these; when called, if an image is smaller than the
        window, or needs resizing and `resize` is `"none"`.
    """

    size: tuple[int, int] | None = None
    crop: str | int = "center"
    resize: str = "area"

    def __post_init__(self):
        if self.size is not None:
            object.__setattr__(self, "size", _size(self.size))
        crop = self.crop
        if isinstance(crop, str) and crop.isdecimal():
            crop = int(crop)
        whole = isinstance(crop, int) and not isinstance(crop, bool)
        if crop not in ("center", "none") and (not whole or crop < 1):
            raise ValueError(
                f"crop: expected 'center', 'none' or a number of pixels, got {self.crop!r}"
            )
        object.__setattr__(self, "crop", crop)
        if self.resize not in ("area", "none"):
            raise ValueError(f"resize: expected 'area' or 'none', got {self.resize!r}")

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Fits an image `[H, W, C]` without changing C; makes no copy if nothing changes."""
        image = _centre(image, self._window(*image.shape[:2]))
        if self.size is None or image.shape[:2] == self.size:
            return image
        if self.resize == "none":
            raise ValueError(
                f"expected {_shown(self.size)} pixels with resize='none', got {_shown(image.shape)}"
            )
        height, width = self.size
        picture = _picture(image)
        picture = picture.resize((width, picture.height), _filter(picture.width, width))
        picture = picture.resize((width, height), _filter(picture.height, height))
        return _array(picture)

    def enlarges(self, image: np.ndarray) -> bool:
        """Whether fitting an image `[H, W, C]` enlarges it along an axis."""
        if self.size is None or self.resize == "none":
            return False
        window = self._window(*image.shape[:2])
        return window[0] < self.size[0] or window[1] < self.size[1]

    def _window(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.crop, int):
            return self.crop, self.crop
        if self.crop == "none" or self.size is None:
            return height, width
        if self.resize == "none":
            return self.size
        rows, columns = self.size
        if height * columns <= width * rows:
            return height, max(1, round(height * columns / rows))
        return max(1, round(width * rows / columns)), width


def decode(data: bytes) -> np.ndarray:
    """Decodes a PNG, JPEG, WebP or BMP file (the first frame of an animation).

    Grey images have one channel, palettes are looked up, CMYK is turned into RGB,
    transparent pixels are laid over white, and the camera's orientation (EXIF) is applied. A BMP
    that is transparent everywhere is read as opaque: its writer left the fourth byte at 0.

    Args:
      data: the bytes of the file.

    Returns:
      uint8 `[H, W, 1]` or `[H, W, 3]`.

    Raises:
      ValueError: if the file is none of these, or has 16 bits a channel: its numbers may span any
        part of their range, so dividing them by 256 could silently give a black image.
      OSError: if it is damaged. (Pillow raises other exceptions too on some damaged files.)
    """
    if data.startswith(_PNG) and data[_PNG_DEPTH : _PNG_DEPTH + 1] == b"\x10":
        raise ValueError("16 bits per channel; save it with 8")
    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        raise ValueError("not a PNG, JPEG, WebP or BMP image") from None
    picture.load()
    if picture.format == "BMP" and picture.mode == "RGBA" and not picture.getextrema()[3][1]:
        picture = picture.convert("RGB")
    picture = ImageOps.exif_transpose(picture)
    grey = picture.mode in ("1", "L", "LA")
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return _array(picture.convert("L" if grey else "RGB"))


def decode_exactly(data: bytes) -> np.ndarray | None:
    """The pixels of a file, if they are all that its picture consists of.

    Returns:
      uint8 `[H, W, 1]` or `[H, W, 3]`; `None` for a file that is damaged, of another format,
      animated, turned by its EXIF entry, with a palette, transparency or a colour profile, or with
      another number of bits than 8.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            picture.load()
            turned = picture.getexif().get(ExifTags.Base.Orientation, 1) != 1
            if picture.mode not in ("L", "RGB") or turned or _COLOUR & picture.info.keys():
                return None
            if getattr(picture, "n_frames", 1) > 1 or not _has_8_bits(data):
                return None
            return _array(picture)
    except Exception:  # Pillow raises many kinds of error for damaged files
        return None


_COLOUR = {"transparency", "icc_profile", "gamma", "chromaticity"}  # what changes the colours


def _has_8_bits(data: bytes) -> bool:
    """Whether it has 8 bits a channel; of the formats read here, only PNG may have others."""
    return not data.startswith(_PNG) or data[_PNG_DEPTH] == 8


def stack(
    named: Iterable[tuple[str, np.ndarray]], n: int, channels: int | None
) -> np.ndarray | None:
    """Stacks images into one array.

    Args:
      named: pairs of a name, for errors, and an image, uint8 `[H, W, C]`.
      n: the largest possible number of images.
      channels: 1 (colours become their luma, ITU-R BT.601), 3, or None: 3 if any image has 3.

    Returns:
      uint8 `[count, H, W, C]`; None if there are no images.

    Raises:
      ValueError: if images differ in size, do not have 1 or 3 channels, or do not fit in memory.
    """
    x, count, first = None, 0, ""

    def room(*shape):
        try:
            return np.empty([n, *shape], np.uint8)
        except MemoryError:
            raise ValueError(
                f"size: expected images that fit in memory, got {n} images of {_shown(shape)} "
                f"pixels ({n * math.prod(shape) / 2**30:.0f} GiB); give a smaller size"
            ) from None

    for name, image in named:
        if image.shape[-1] not in (1, 3):
            raise ValueError(f"{name}: expected 1 or 3 channels, got {image.shape[-1]}")
        if x is None:
            x, first = room(*image.shape[:2], channels or image.shape[-1]), name
        if image.shape[:2] != x.shape[1:3]:
            raise ValueError(
                f"size: expected (height, width), because the images differ in size: {first} has "
                f"{_shown(x.shape[1:])} pixels, {name} has {_shown(image.shape)} (set "
                "--config.data.height=H --config.data.width=W)"
            )
        if channels is None and image.shape[-1] > x.shape[-1]:
            # The first colour image: grey ones before it lose nothing in three equal channels.
            grey, x = x, room(*image.shape)
            x[:count] = grey[:count]
        x[count] = _as_channels(image, x.shape[-1])
        count += 1
    return None if x is None else x[:count]


def _size(size) -> tuple[int, int]:
    try:
        height, width = (operator.index(side) for side in size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ValueError(f"size: expected (height, width) in pixels, got {size!r}")
    return height, width


def _centre(image: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    top, left = ((side - part) // 2 for side, part in zip(image.shape, window, strict=False))
    if top < 0 or left < 0:
        raise ValueError(
            f"expected at least {_shown(window)} pixels to crop, got {_shown(image.shape)}"
        )
    return image[top : top + window[0], left : left + window[1]]


def _filter(old: int, new: int) -> Image.Resampling:
    return Image.Resampling.BOX if new < old else Image.Resampling.BICUBIC


def _picture(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def _array(picture: Image.Image) -> np.ndarray:
    array = np.asarray(picture)
    return array[..., None] if array.ndim == 2 else array


def _as_channels(image: np.ndarray, channels: int) -> np.ndarray:
    if image.shape[-1] == channels:
        return image
    return _array(_picture(image).convert("L" if channels == 1 else "RGB"))


def _shown(shape) -> str:
    """Height and width of a shape, for an error message."""
    return f"{shape[0]} x {shape[1]}"
