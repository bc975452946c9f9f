"""The file format of compressed images, `.tfz`.

In this order, numbers little-endian and varints as LEB128:

* the magic `89 54 46 5A`, and the version, 1 byte;
* the fingerprint of the model, 32 bytes;
* flags, 1 byte: 1 if the input was an array, 2 if images have names, 4 if the array has no axis of
  channels;
* varints: the number of images; height, width and channels of the model's images;
* images that the model does not code: their number; then of each the gap to the number of the one
  before, its kind (`PNG`, `RAW` or `FILE`), its length (varints), and its bytes;
* if there are names: their length (varint), and they themselves (UTF-8, one a line, zlib);
* the length of the code (varint), and the code;
* CRC-32 of the shapes and pixels of all images, 4 bytes;
* CRC-32 of all bytes before, 4 bytes.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Sequence

MAGIC, VERSION = b"\x89TFZ", 1
PNG, RAW, FILE = 0, 1, 2  # a PNG, pixels by zlib, a user's own file

_ARRAY, _NAMES, _NO_CHANNELS = 1, 2, 4
_LONGEST = 9  # bytes of a varint
_LONGEST_NAME = 4096  # bytes


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
      fingerprint: of the model, 32 bytes.
      shape: `(H, W, C)` of the model's images.
      count: number of images.
      axes: number of axes of the array that was compressed, 3 or 4; 0 if it was a list.
      names: names of the images, from `pack_names`; `None` for none.
      escaped: image number to kind and bytes, for images that the model does not code.
      code: the entropy coder's bytes.
      pixels: CRC-32 of the shapes and pixels of all images.
    """

    fingerprint: bytes
    shape: tuple[int, int, int]
    count: int
    axes: int
    names: bytes | None
    escaped: dict[int, tuple[int, bytes]]
    code: bytes
    pixels: int


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def write(contents: Contents) -> bytes:
    """The bytes of a file."""
    flags = _ARRAY * bool(contents.axes) | _NO_CHANNELS * (contents.axes == 3)
    flags |= _NAMES * (contents.names is not None)
    parts = [MAGIC, bytes([VERSION]), contents.fingerprint, bytes([flags])]
    parts += [_varint(value) for value in (contents.count, *contents.shape)]
    parts.append(_varint(len(contents.escaped)))
    before = 0
    for number, (kind, data) in sorted(contents.escaped.items()):
        parts += [_varint(number - before), _varint(kind), _varint(len(data)), data]
        before = number
    if contents.names is not None:
        parts += [_varint(len(contents.names)), contents.names]
    parts += [_varint(len(contents.code)), contents.code, struct.pack("<I", contents.pixels)]
    data = b"".join(parts)
    return data + struct.pack("<I", zlib.crc32(data))


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.place = data, 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.place:
            raise ValueError("file: it ends too early")
        self.place += count
        return self.data[self.place - count : self.place]

    def varint(self) -> int:
        value = 0
        for index in range(_LONGEST):
            (byte,) = self.take(1)
            value |= (byte & 127) << 7 * index
            if byte < 128:
                return value
        raise ValueError("file: damaged: a number has too many bytes")


def read(data: bytes) -> Contents:
    """The contents of a file.

    Raises:
      ValueError: if it is not one, is damaged, or is of a later version.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("file: expected a .tfz file, got another kind of file")
    if len(data) < len(MAGIC) + 5:
        raise ValueError("file: it ends too early")
    if data[len(MAGIC)] != VERSION:
        raise ValueError(f"file: expected version {VERSION}, got {data[len(MAGIC)]}")
    (crc,) = struct.unpack("<I", data[-4:])
    if zlib.crc32(data[:-4]) != crc:
        raise ValueError("file: damaged or cut off: its checksum differs from its contents")
    reader = _Reader(data[len(MAGIC) + 1 : -4])
    fingerprint, (flags,) = reader.take(32), reader.take(1)
    count, shape = reader.varint(), tuple(reader.varint() for _ in range(3))
    escaped, number, fit = {}, -1, not flags & ~(_ARRAY | _NAMES | _NO_CHANNELS)
    for index in range(reader.varint()):
        gap, kind = reader.varint(), reader.varint()
        number += gap if index else gap + 1
        fit &= kind in (PNG, RAW, FILE) and (gap > 0 or not index) and number < count
        fit &= kind != FILE or not flags & _ARRAY
        escaped[number] = kind, reader.take(reader.varint())
    names = reader.take(reader.varint()) if flags & _NAMES else None
    code = reader.take(reader.varint())
    (pixels,) = struct.unpack("<I", reader.take(4))
    if not fit or reader.place != len(reader.data):
        raise ValueError("file: damaged: its parts do not fit together")
    axes = 0 if not flags & _ARRAY else 3 if flags & _NO_CHANNELS else 4
    return Contents(fingerprint, shape, count, axes, names, escaped, code, pixels)


def pack_names(names: Sequence[str]) -> bytes | None:
    """The names of a file's images as it holds them; `None` for none.

    Raises:
      ValueError: if a name has a line break or a zero, is no UTF-8, or has more than 4,096 bytes.
    """
    if not names:
        return None
    for name in names:
        try:
            good = len(name.encode()) <= _LONGEST_NAME and not {"\n", "\0"} & set(name)
        except (UnicodeEncodeError, AttributeError):
            good = False
        if not good:
            raise ValueError(
                f"names: expected UTF-8 of at most {_LONGEST_NAME} bytes, without line breaks, got "
                f"{name!r:.200}"
            )
    return zlib.compress("\n".join(names).encode(), 9)


def unpack_names(packed: bytes | None, count: int) -> tuple[str, ...]:
    """The names of `count` images.

    Raises:
      ValueError: if the bytes are damaged, or the number of names is another.
    """
    if packed is None:
        return ()
    unpack = zlib.decompressobj()
    try:
        text = unpack.decompress(packed, (_LONGEST_NAME + 1) * count)
        whole = unpack.eof and not unpack.unused_data and text.count(b"\n") == max(count - 1, 0)
        names = tuple(text.decode().split("\n")) if whole else ()
    except (zlib.error, UnicodeDecodeError):
        names = ()
    if len(names) != count:
        raise ValueError("file: damaged: its names cannot be read")
    return names
