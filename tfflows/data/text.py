"""Text as rows of numbers: a file's characters, its alphabet, and windows of one length."""

from __future__ import annotations

import gzip
import os
import pathlib
import zlib

import numpy as np


def read(path: str | os.PathLike) -> str:
    """The text of a UTF-8 file, compressed if its name ends in .gz.

    Line ends are kept as one character, whatever the file writes; a mark of the byte order at its
    start is dropped.

    Raises:
      ValueError: if the file cannot be read, is not UTF-8 text, or is empty.
    """
    path = pathlib.Path(path)
    try:
        content = path.read_bytes()
        if path.suffix.lower() == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"cannot read {str(path)!r}: {reason}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r}: expected text in UTF-8, got byte 0x{content[error.start]:02x} at "
            f"{error.start}"
        ) from None
    if "\0" in text:
        raise ValueError(f"{str(path)!r}: expected text, got a file with zero bytes")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        raise ValueError(f"{str(path)!r}: expected text, got an empty file")
    return text


def alphabet(text: str) -> str:
    """The different characters of a text, in order of their code points."""
    return "".join(sorted(set(text)))


def encode(text: str, alphabet: str) -> np.ndarray:
    """The places of a text's characters in an alphabet: int32 `[length]`.

    Raises:
      ValueError: if the text has a character that the alphabet lacks.
    """
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    known = np.frombuffer(alphabet.encode("utf-32-le"), np.uint32)
    order = np.argsort(known)
    places = np.minimum(np.searchsorted(known[order], codes), len(known) - 1)
    wrong = np.flatnonzero(known[order][places] != codes)
    if wrong.size:
        place = int(wrong[0])
        line = text.count("\n", 0, place) + 1
        raise ValueError(
            f"text: expected characters of the training text, got {text[place]!r} in line {line}"
        )
    return order[places].astype(np.int32)


def decode(numbers: np.ndarray, alphabet: str) -> str:
    """The text of places in an alphabet, `[length]`; an unknown one becomes U+FFFD."""
    numbers = np.asarray(numbers)
    known = np.append(np.frombuffer(alphabet.encode("utf-32-le"), np.uint32), 0xFFFD)
    inside = (numbers >= 0) & (numbers < len(alphabet))
    codes = known[np.where(inside, numbers, len(alphabet)).astype(int)]
    return codes.astype(np.uint32).tobytes().decode("utf-32-le")


def windows(numbers: np.ndarray, length: int, step: int) -> np.ndarray:
    """All windows of a length whose first places are `step` apart: `[n, length]`.

    Raises:
      ValueError: if `length` or `step` is below 1, or there is no window of this length.
    """
    for name, value in (("length", length), ("step", step)):
        if value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")
    if len(numbers) < length:
        raise ValueError(
            f"length: expected at most the {len(numbers)} characters of the text, got {length}"
        )
    return np.lib.stride_tricks.sliding_window_view(numbers, length)[::step]


def entropies(numbers: np.ndarray) -> tuple[float, float]:
    """The entropy of a character, and of one given the character before it, in bits.

    They are those of the frequencies of the characters and pairs themselves, `[length]` of at
    least 2, so a text seen for the first time needs more.
    """

    def entropy(counts):
        shares = counts[counts > 0] / counts.sum()
        return -float(np.sum(shares * np.log2(shares)))

    size = int(numbers.max()) + 1
    pairs = np.bincount(numbers[:-1].astype(np.int64) * size + numbers[1:])
    first = np.bincount(numbers[:-1])
    return entropy(np.bincount(numbers)), entropy(pairs) - entropy(first)
