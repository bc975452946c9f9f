"""A user's own table: reading, checking, splitting, and the statistics that standardise it.

The protocol: rows permuted by `numpy.random.default_rng(0).permutation(n)`, the last 10 % are test,
the last 10 % of the rest validation; mean and standard deviation are those of the training rows.
"""

from __future__ import annotations

import csv
import dataclasses
import os
import pathlib
import warnings

import numpy as np

MIN_ROWS = 11  # the fewest that leave a row in each part
_FORMATS = (".csv", ".npy", ".npz", ".parquet")


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Rows of finite numbers under named columns.

    Attributes:
      values: `[n, d]`, of a real dtype (float64 when read from a file).
      columns: names of the `d` columns.

    Raises:
      ValueError: if the shape is not `[n, d]`, the table is empty, the names do not fit, or a value
        is NaN or infinite (the rows are named).
    """

    values: np.ndarray
    columns: list[str]

    def __post_init__(self):
        if self.values.ndim != 2:
            raise ValueError(f"table: expected shape [rows, columns], got {_shape(self.values)}")
        if not self.values.size:
            raise ValueError(f"table: expected rows, got an empty table {_shape(self.values)}")
        if self.values.dtype.kind not in "fiub":
            raise ValueError(f"table: expected real numbers, got {self.values.dtype}")
        if len(self.columns) != self.values.shape[1]:
            raise ValueError(
                f"columns: expected {self.values.shape[1]} names, got {len(self.columns)}"
            )
        bad = np.flatnonzero(~np.isfinite(self.values).all(axis=1))
        if bad.size:
            column = self.columns[np.flatnonzero(~np.isfinite(self.values[bad[0]]))[0]]
            raise ValueError(
                f"table: expected finite numbers, got NaN or infinity in {_rows(bad)}"
                f" (first in column {column!r})"
            )


@dataclasses.dataclass(frozen=True, eq=False)
class TableSplits:
    """A table ready for training.

    Attributes:
      train, validation, test: raw rows, float64 `[n, d]` each.
      mean, std: statistics of the training rows, float64 `[d]`.
      columns: names of the `d` columns.
      dropped: names of the constant columns left out.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    columns: list[str]
    dropped: list[str]


def read_table(path: str | os.PathLike) -> Table:
    """Reads a table from a file.

    A .csv is comma-separated; its first line holds the names unless all of it is numbers. An .npz
    holds the rows under `x`. Where the file has no names, columns are called `column_0` and on.

    Args:
      path: a .csv, .npy, .npz or .parquet file.

    Returns:
      The table, values float64.

    Raises:
      ValueError: if the file is missing or unreadable, of an unknown kind, not a table, empty, has
        text in a column (named) or NaN or infinite values (rows named, counted from 0).
    """
    path = pathlib.Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise ValueError(f"path: expected a file of {', '.join(_FORMATS)}, got {str(path)!r}")
    if not path.is_file():
        raise ValueError(f"path: expected a file, got {str(path)!r}, which does not exist")
    reader = {".csv": _read_csv, ".parquet": _read_parquet}.get(suffix, _read_numpy)
    try:
        values, columns = reader(path)
    except _TableError as error:
        raise ValueError(f"{path}: {error}") from None
    except Exception as error:  # the readers raise many kinds for a damaged file
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: cannot be read as {suffix}: {first_line}") from error
    try:
        return Table(values, columns)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def split(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of the training, validation and test parts of a table of `n` rows.

    Raises:
      ValueError: if there are fewer than 11 rows.
    """
    if n < MIN_ROWS:
        raise ValueError(f"table: expected at least {MIN_ROWS} rows to split, got {n}")
    order = np.random.default_rng(0).permutation(n)
    rest, test = np.split(order, [n - n // 10])
    train, validation = np.split(rest, [len(rest) - len(rest) // 10])
    return train, validation, test


def prepare(table: Table, drop_constant: bool = False) -> TableSplits:
    """Splits a table by the protocol and takes the statistics of its training rows.

    Args:
      table: the table.
      drop_constant: leave out columns that are constant over the training rows.

    Raises:
      ValueError: if rows are too few, a value is beyond float32, a column is constant over the
        training rows (named) and `drop_constant` is not set, or no column is left.
    """
    parts = split(len(table.values))
    values = as_float64(table)
    train = values[parts[0]]
    mean, std = train.mean(axis=0), train.std(axis=0)
    # Numbers that differ by rounding alone are constant.
    rounding = 4.0 * np.spacing(np.abs(train).max(axis=0))
    constant = (np.ptp(train, axis=0) <= rounding) | (std < np.finfo(np.float32).tiny)
    dropped = [
        name for name, is_constant in zip(table.columns, constant, strict=True) if is_constant
    ]
    if dropped and not drop_constant:
        raise ValueError(
            f"table: expected columns that vary over the training rows, got constant"
            f" {', '.join(map(repr, dropped))} (drop_constant leaves them out)"
        )
    if constant.all():
        raise ValueError("table: expected a column that varies, got constant ones only")
    keep = ~constant
    return TableSplits(
        *(values[rows][:, keep] for rows in parts),
        mean=mean[keep],
        std=std[keep],
        columns=[name for name, kept in zip(table.columns, keep, strict=True) if kept],
        dropped=dropped,
    )


def as_float64(table: Table) -> np.ndarray:
    """The values as float64 `[n, d]`, from which a model subtracts the mean before it rounds.

    Raises:
      ValueError: if one is beyond float32's range (its row and column are named).
    """
    values = table.values.astype(np.float64, copy=False)
    within = np.abs(values) <= np.finfo(np.float32).max
    beyond = np.flatnonzero(~within.all(axis=1))
    if beyond.size:
        column = table.columns[np.flatnonzero(~within[beyond[0]])[0]]
        raise ValueError(
            f"table: expected numbers within float32, got larger in {_rows(beyond)}"
            f" (first in column {column!r})"
        )
    return values


class _TableError(Exception):
    """What is wrong with a file that could be read."""


def _shape(values: np.ndarray) -> str:
    return f"shape {list(values.shape)}"


def _rows(rows: np.ndarray) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more} (counted from 0)"


def _default_columns(d: int) -> list[str]:
    return [f"column_{i}" for i in range(d)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_csv(path: pathlib.Path) -> tuple[np.ndarray, list[str]]:
    import pandas as pd

    with open(path, newline="", encoding="utf-8-sig") as file:
        first = next((row for row in csv.reader(file) if row), None)
    if first is None:
        raise _TableError("table: expected rows, got an empty file")
    # An empty cell among numbers is a missing value, not a name.
    cells = [cell for cell in first if cell.strip()]
    named = not cells or not all(_is_number(cell) for cell in cells)
    with warnings.catch_warnings():
        # Said of rows with more cells than names; without index_col=False the first cells would
        # silently become an index.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            path,
            header=0 if named else None,
            index_col=False,
            encoding="utf-8-sig",
            low_memory=False,
        )
    return _from_frame(frame, named)


def _read_parquet(path: pathlib.Path) -> tuple[np.ndarray, list[str]]:
    import pandas as pd

    return _from_frame(pd.read_parquet(path), named=True)


def _from_frame(frame, named: bool) -> tuple[np.ndarray, list[str]]:
    columns = [str(name) for name in frame.columns] if named else _default_columns(frame.shape[1])
    if frame.empty:
        raise _TableError(f"table: expected rows, got an empty table {_shape(frame)}")
    values = np.empty(frame.shape, np.float64)
    for i, name in enumerate(columns):
        values[:, i] = _numbers(frame.iloc[:, i], name)
    return values, columns


def _numbers(series, name: str) -> np.ndarray:
    """One column as float64, missing values as NaN."""
    import pandas as pd

    if series.dtype.kind in "fiub":
        return series.to_numpy(np.float64, na_value=np.nan)
    if series.dtype.kind in "cmM":
        raise _TableError(f"column {name!r}: expected numbers, got {series.dtype}")
    series = series.astype(object)
    numbers = pd.to_numeric(series, errors="coerce")
    text = np.flatnonzero(numbers.isna() & series.notna())
    if text.size:
        raise _TableError(
            f"column {name!r}: expected numbers, got {str(series.iloc[text[0]])[:40]!r}"
            f" in {_rows(text)}"
        )
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _read_numpy(path: pathlib.Path) -> tuple[np.ndarray, list[str]]:
    values = np.load(path, allow_pickle=False)
    if path.suffix.lower() == ".npz":
        with values as archive:
            if "x" not in archive.files:
                raise _TableError(f"table: expected rows under key 'x', got keys {archive.files}")
            values = archive["x"]
    if values.ndim != 2:
        raise _TableError(f"table: expected shape [rows, columns], got {_shape(values)}")
    columns = _default_columns(values.shape[1])
    if values.dtype.kind in "fiub":
        return values.astype(np.float64), columns
    if values.dtype.kind in "US":
        for i, name in enumerate(columns):
            text = [
                row for row, cell in enumerate(values[:, i].astype(str)) if not _is_number(cell)
            ]
            if text:
                raise _TableError(
                    f"column {name!r}: expected numbers, got {str(values[text[0], i])[:40]!r}"
                    f" in {_rows(np.array(text))}"
                )
        return values.astype(np.float64), columns
    raise _TableError(f"table: expected numbers, got dtype {values.dtype}")
