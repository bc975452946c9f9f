"""Version folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def version_folder(directory: str | os.PathLike, version: int, overwrite: bool) -> Iterator[str]:
    """Yields an empty folder to fill, which becomes `directory/<version>` if all goes well.

    The folder is filled next to its final place, under a name that is not a number, so a server
    ignores it. A process that is killed leaves such a `.writing-*` folder, which may be deleted,
    and no version folder.

    Args:
      directory: created if it is missing.
      version: a positive integer.
      overwrite: whether to replace an existing version. It stays until the new one takes its
        name.

    Raises:
      ValueError: if `version` is not a positive integer, or exists; if `directory` cannot be
        written to.
    """
    if isinstance(version, bool) or not isinstance(version, int) or not 0 < version < 2**63:
        raise ValueError(f"version: expected a positive integer, got {version!r}")
    final = os.path.join(directory, str(version))
    if os.path.lexists(final) and not overwrite:
        raise _exists(final)
    try:
        os.makedirs(directory, exist_ok=True)
        scratch = tempfile.mkdtemp(prefix=".writing-", dir=directory)
    except OSError as error:
        raise ValueError(
            f"directory: expected a folder that can be written to, got {os.fspath(directory)} "
            f"({error.strerror})"
        ) from error
    try:
        # Only the owner can enter mkdtemp's folder; a folder inside it gets the usual permissions.
        path = os.path.join(scratch, "new")
        os.mkdir(path)
        yield path
        if overwrite and os.path.lexists(final):
            _exchange(path, final, os.path.join(scratch, "old"))
        else:
            _rename_new(path, final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _exists(final: str) -> ValueError:
    return ValueError(
        f"version: {final} exists; choose another version, or overwrite it (--overwrite)"
    )


def _rename_new(path: str, final: str) -> None:
    try:
        os.rename(path, final)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise _exists(final) from error  # another process was faster
        raise


def _exchange(path: str, final: str, aside: str) -> None:
    """Replaces `final` with `path`, in one step if the system can."""
    if _rename_exchange(path, final):
        return
    os.rename(final, aside)
    try:
        os.rename(path, final)
    except OSError:
        os.rename(aside, final)
        raise


def _rename_exchange(one: str, other: str) -> bool:
    """Swaps two names atomically; returns False if the system or the file system cannot."""
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    return renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0
