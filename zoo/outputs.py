"""Checks, before a command starts work, that it can write its output."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence


def check_output(path: str | os.PathLike) -> None:
    """Raises a ValueError if the file of `--output` cannot be written; creates nothing."""
    path = pathlib.Path(path)
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"output: the folder {str(path.parent)!r} does not exist")
    if path.is_dir():
        raise ValueError(f"output: expected a file, but {str(path)!r} is a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"output: no permission to write to {str(path.parent)!r}")


def check_kind(path: str, kinds: Sequence[str]) -> None:
    """As `check_output`, for a file that must end in one of `kinds` (`.png`)."""
    if not path.lower().endswith(tuple(kinds)):
        raise ValueError(f"output: expected a file ending in {', '.join(kinds)}, got {path!r}")
    check_output(path)


def check_folder(name: str, path: str | os.PathLike, files: Sequence[str] = ()) -> None:
    """Raises a ValueError if a folder can be neither written to nor created; creates nothing.

    Args:
      name: name of the flag, for the message.
      path: the folder.
      files: names of the files to be written there; none of them may be a folder.
    """
    for file in files:
        place = pathlib.Path(path) / file
        if place.is_dir():
            raise ValueError(f"{name}: expected a file, but {place} is a folder")
    place = pathlib.Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise ValueError(f"{name}: expected a folder, but {place} is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"{name}: no permission to write to {place}")
