"""Reads files of rows into columns of numbers or of text."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfflows.data import delimited, numerals

FORMATS = (*delimited.FORMATS, ".npy", ".npz", ".parquet")


@dataclasses.dataclass(frozen=True, eq=False)
class File:
    """The contents of a file.

    Attributes:
      columns: `[n]` each: numbers, or objects (str) if a cell is text.
      names: names of the columns, "" for one without; None if the file has no names.
      notices: decisions about the file that could have gone the other way.
      text: the format of a text file.
      style: how its numbers are written.
    """

    columns: list[np.ndarray]
    names: list[str] | None
    notices: list[str] = dataclasses.field(default_factory=list)
    text: delimited.Text | None = None
    style: numerals.Style = numerals.Style()

    @property
    def shown_names(self) -> list[str]:
        """A name for each column, `column_0` and so on for those without."""
        names = self.names or [""] * len(self.columns)
        return [name or f"column_{i}" for i, name in enumerate(names)]

    def text_rows(self, column: int) -> np.ndarray:
        """Rows (from 0) in which a column of text has neither a number nor a missing value."""
        return np.flatnonzero(numerals.parse(self.columns[column], self.style)[1])

    def place(self, row: int, column: int) -> str:
        """A phrase with the line and text of a cell; "" if the file is not a text file."""
        if self.text is None:
            return ""
        line, cells = self.text.line(row)
        cell = cells[column] if column < len(cells) else ""
        cell = f"holds {cell.strip()[:40]!r}" if cell.strip() else "has an empty cell"
        return f"; line {line} of the file {cell}"


class _FileError(Exception):
    """An error in the contents of a file that could be read."""


def suffix(path: pathlib.Path) -> str:
    """The format with which a file's name ends, or "" if it has none of them."""
    name = path.name.lower()
    return next((kind for kind in FORMATS if name.endswith(kind) and name != kind), "")


def read(
    path: pathlib.Path, header: bool | None = None, wanted: Sequence[str] | None = None
) -> File:
    """Reads a file.

    Args:
      path: a file that exists, of one of the formats.
      header: whether the first line of a text file holds names; None: decided by how it looks.
      wanted: names that the file is expected to have.

    Raises:
      ValueError: if it cannot be read, is not a table, is empty, or holds dates (the message gives
        the path).
    """
    kind = suffix(path)
    reader = {".parquet": _read_parquet, ".npy": _read_numpy, ".npz": _read_numpy}.get(kind)
    try:
        file = reader(path) if reader else _read_text(path, header, wanted)
        if not file.columns or not len(file.columns[0]):
            shape = [len(file.columns[0]) if file.columns else 0, len(file.columns)]
            raise _FileError(f"table: expected rows, got an empty table of shape {shape}")
    except (_FileError, delimited.TextError) as error:
        raise ValueError(f"{path}: {error}") from None
    except Exception as error:  # the readers raise many kinds of error for a damaged file
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: cannot be read as {kind}: {first_line}") from error
    return file


def _read_text(path: pathlib.Path, header: bool | None, wanted: Sequence[str] | None) -> File:
    text = delimited.open_text(path, header, wanted)
    columns, style = text.read()
    return File(columns, text.names(len(columns)), text.notices, text, style)


def _read_parquet(path: pathlib.Path) -> File:
    import pandas as pd

    frame = pd.read_parquet(path)
    names = [str(name) for name in frame.columns]
    return File([_values(frame.iloc[:, i], name) for i, name in enumerate(names)], names)


def _values(series, name: str) -> np.ndarray:
    """One column as numbers (missing values are NaN) or as str (missing values are "")."""
    import pandas as pd

    if series.dtype.kind in "fiub":
        if series.isna().any():
            return series.to_numpy(np.float64, na_value=np.nan)
        return series.to_numpy()
    if series.dtype.kind in "cmM":
        raise _FileError(f"column {name!r}: expected numbers, got {series.dtype}")
    series = series.astype(object)
    numbers = pd.to_numeric(series, errors="coerce")
    if (numbers.isna() & series.notna()).any():
        return series.where(series.notna(), "").astype(str).to_numpy(object)
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _read_numpy(path: pathlib.Path) -> File:
    values, notices = np.load(path, allow_pickle=False), []
    if path.suffix.lower() == ".npz":
        with values as archive:
            if "x" not in archive.files:
                raise _FileError(
                    f"table: expected rows under key 'x', got keys {archive.files} "
                    "(np.savez(FILE, x=rows) writes such a file)"
                )
            values = archive["x"]
            others = ", ".join(repr(key) for key in archive.files if key != "x")
            if others:
                notices.append(f"ignored: {others} (the rows are under 'x')")
    if values.ndim != 2:
        raise _FileError(f"table: expected shape [rows, columns], got shape {list(values.shape)}")
    if not values.size:
        raise _FileError(f"table: expected rows, got an empty table of shape {list(values.shape)}")
    if values.dtype.kind in "fiub":
        return File(list(values.T), None, notices)
    if values.dtype.kind not in "US":
        raise _FileError(f"table: expected numbers, got dtype {values.dtype}")
    return File([_parsed(column) for column in values.T.astype(str)], None, notices)


def _parsed(column: np.ndarray) -> np.ndarray:
    values, text = numerals.parse(column, numerals.Style())
    return column.astype(object) if text.any() else values
