"""Atomic file writes: a file is either complete or absent.

A file is written beside its target, flushed to disk and moved into place, so that a process killed
at any instant leaves either the old file or the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Callable

_TEMPORARY = ".tmp-"


def write(path: str | os.PathLike, write_to: Callable[[pathlib.Path], None]) -> None:
    """Writes a file atomically.

    Args:
      path: where the file goes.
      write_to: writes the file to the path it is given, which has the same suffixes as `path`.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    try:
        write_to(temporary)
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, value) -> None:
    """Writes `value` as JSON, atomically."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    write(path, lambda temporary: temporary.write_text(text))


def clean(directory: str | os.PathLike) -> None:
    """Removes the unfinished files that a killed process left behind."""
    directory = pathlib.Path(directory)
    for pattern in (f"{_TEMPORARY}*", ".*.tmp"):  # the second is for pictures
        for path in directory.rglob(pattern):
            path.unlink(missing_ok=True)


def sha256(path: str | os.PathLike) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: pathlib.Path) -> None:
    """Flushes a file (or a folder's entries) to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
