"""Reads, checks and splits a user's table, and computes the statistics that standardise it.

`table_files` reads the files, with `delimited` for text. `header` decides whether the first line
holds names, `identifiers` which columns are left out, and `by_name` where a model's columns are.

The protocol: `numpy.random.default_rng(0).permutation(n)` permutes the rows. The last 10 % are test
rows, and the last 10 % of the rest are validation rows. The mean and standard deviation are those
of the training rows.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import pathlib
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from tfflows.data import by_name, identifiers, table_files

MIN_ROWS = 11  # the fewest that leave a row in each part


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Rows of finite numbers under named columns.

    Attributes:
      values: `[n, d]`, of a real dtype (float64 when read from a file).
      columns: names of the `d` columns.
      left_out: name of each column that was left out of `values`, and why.
      all_columns: names of all the file's columns in order, even if left out; empty if unknown.

    Raises:
      ValueError: if the shape is not `[n, d]`, the table is empty, the names do not fit, or a value
        is NaN or infinite (the message names the rows).
    """

    values: np.ndarray
    columns: list[str]
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    all_columns: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        if self.values.ndim != 2:
            raise ValueError(f"table: expected shape [rows, columns], got {_shape(self.values)}")
        if not self.values.size:
            raise ValueError(f"table: expected rows, got an empty table of {_shape(self.values)}")
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


def read_table(
    path: str | os.PathLike,
    header: bool | None = None,
    keep_identifiers: bool = False,
    columns: Sequence[str] | None = None,
    original: Sequence[str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Table:
    """Reads a table from a file.

    A .csv or .tsv file, gzipped (.gz) or not, separates cells by commas, semicolons, tabs, `|` or
    spaces. It may have decimal commas if the separator is not a comma, or if cells are quoted. Its
    encoding is UTF-8, UTF-16 or UTF-32 with a byte-order mark, or else Windows-1252. An .npz file
    holds the rows under `x`. Columns without a name are called `column_0` and so on, by position.

    Args:
      path: a .csv, .tsv, .csv.gz, .tsv.gz, .npy, .npz or .parquet file.
      header: whether the first line of a text file holds names; None: decided by how it looks
        (see `header`).
      keep_identifiers: also take columns that number or name the rows (see `identifiers`).
      columns: names of the columns to take, in this order, regardless of their contents; all others
        are left out. They are taken by position if the file has no names, or if these names are
        `column_0` and so on.
      original: with `columns`, the names of all columns of the table that they are from, in order.
      tell: called with a sentence about each decision that could have gone the other way; by
        default, each sentence is a warning.

    Returns:
      The table, values float64.

    Raises:
      ValueError: if the file is missing, unreadable, of an unknown kind, not a table or empty; if
        it has lines of different lengths, two columns with the same name, text in a column, NaN,
        infinity or a missing value (an empty cell, `NA`, `?`, `-`, ...); if it lacks a column or
        has identifiers only. The message names the column and the rows, counted from 0, and the
        line of a text file, counted from 1.
    """
    path = pathlib.Path(path).expanduser()
    if header not in (None, True, False):
        raise ValueError(f"header: expected True, False or None, got {header!r}")
    if path.is_dir():
        raise ValueError(f"path: expected a file, got {str(path)!r}, which is a folder")
    if not table_files.suffix(path):
        formats = ", ".join(table_files.FORMATS)
        raise ValueError(f"path: expected a file ending in {formats}, got {str(path)!r}")
    if not path.is_file():
        raise ValueError(f"path: expected a file, got {str(path)!r}, which does not exist")
    file = table_files.read(path, header, columns)
    try:
        if columns is None:
            left_out = {} if keep_identifiers else _identifiers(file)
            places = [i for i in range(len(file.columns)) if i not in left_out]
        else:
            places = _places(file, columns, original)
            left_out = {}
        result = _table(file, places, left_out)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    told = [f"left out: {name!r} ({why})" for name, why in result.left_out.items()]
    if columns is not None:
        told = _taken(file, places, columns)
    for notice in (*file.notices, *told):
        (tell or warnings.warn)(f"{path.name}: {notice}")
    return result


def _places(
    file: table_files.File, columns: Sequence[str], original: Sequence[str] | None
) -> list[int]:
    """Positions of the requested columns; matching by position may skip identifiers."""
    try:
        return by_name.positions(file.names, len(file.columns), columns, original)
    except ValueError as error:
        found = _reasons(file)
        rest = [i for i in range(len(file.columns)) if i not in found]
        if not found or not by_name.by_position(file.names, columns):
            raise
        try:
            return [rest[i] for i in by_name.positions(None, len(rest), columns, original)]
        except ValueError:
            raise error from None


def _reasons(file: table_files.File) -> dict[int, str]:
    """Columns of a file that are identifiers, and why."""
    names = file.names or [""] * len(file.columns)
    unnamed = file.names is not None  # a name is only missing if the others have one
    found = {}
    for i, (name, column) in enumerate(zip(names, file.columns, strict=True)):
        why = identifiers.reason(name, column, first=unnamed and i == 0)
        if why:
            found[i] = why
    return found


def _identifiers(file: table_files.File) -> dict[int, str]:
    """`_reasons` of a file, which must have other columns too."""
    found = _reasons(file)
    if len(found) == len(file.columns):
        raise ValueError(
            f"table: expected columns to model, got only identifiers: {file.shown_names[0]!r} "
            f"holds {found[0]} (keep_identifiers=True keeps them)"
        )
    return found


def _table(file: table_files.File, places: list[int], left_out: dict[int, str]) -> Table:
    """The table of the columns of a file at these positions.

    Raises:
      ValueError: if one is text or has a value that is not finite, or two have the same name.
    """
    names = file.shown_names
    chosen = [names[i] for i in places]
    double = [name for name, count in collections.Counter(chosen).items() if count > 1]
    if double:
        raise ValueError(f"columns: expected different names, got {double[0]!r} twice")
    values = np.empty([len(file.columns[0]), len(places)], np.float64)
    text = [i for i in places if file.columns[i].dtype.kind == "O"]
    if text:
        first, *others = text
        rows = file.text_rows(first)
        cell = str(file.columns[first][rows[0]]).strip()[:40]
        found = f"{cell!r} in {_rows(rows)}{file.place(rows[0], first)}"
        if others:
            found += f", and text in {', '.join(repr(names[i]) for i in others)} too"
        these = "these columns" if others else "the column"
        raise ValueError(
            f"column {names[first]!r}: expected numbers, got {found}; leave out {these}, or "
            "encode the values as numbers"
        )
    for j, i in enumerate(places):
        values[:, j] = file.columns[i]
    bad = np.argwhere(~np.isfinite(values))
    try:
        return Table(values, chosen, {names[i]: why for i, why in left_out.items()}, names)
    except ValueError as error:
        if not len(bad):
            raise
        place = file.place(int(bad[0][0]), places[int(bad[0][1])])
        counts = (~np.isfinite(values)).sum(axis=0)
        where = ", ".join(f"{n} in {name!r}" for n, name in zip(counts, chosen, strict=True) if n)
        raise ValueError(
            f"{error}{place}; in total {where}; leave out these rows or columns"
        ) from None


def _taken(file: table_files.File, places: list[int], columns: Sequence[str]) -> list[str]:
    """Notices about columns that were requested by name."""
    names = file.shown_names
    told = []
    if [names[i] for i in places] != list(columns):
        nameless = "the file has" if file.names is None else "the requested columns have"
        told.append(f"columns are matched by position, because {nameless} no names")
    others = [repr(name) for i, name in enumerate(names) if i not in places]
    if others:
        told.append(f"left out: {', '.join(others)} (not among the requested columns)")
    return told


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


def prepare(table: Table, drop_constant: bool = False, keep_constant: bool = False) -> TableSplits:
    """Splits a table by the protocol and computes the statistics of its training rows.

    Args:
      table: the table.
      drop_constant: leave out columns that are constant over the training rows.
      keep_constant: keep constant columns like any other, for a model that is already trained.

    Raises:
      ValueError: if there are too few rows, a value is beyond float32's range, a column is constant
        over the training rows (the message names it) and `drop_constant` is not set, or no column
        is left.
    """
    parts = split(len(table.values))
    values = as_float64(table)
    train = values[parts[0]]
    mean, std = train.mean(axis=0), train.std(axis=0)
    # Numbers that differ only by rounding count as constant.
    rounding = 4.0 * np.spacing(np.abs(train).max(axis=0))
    constant = (np.ptp(train, axis=0) <= rounding) | (std < np.finfo(np.float32).tiny)
    constant &= not keep_constant
    dropped = [
        name for name, is_constant in zip(table.columns, constant, strict=True) if is_constant
    ]
    if dropped and not drop_constant:
        raise ValueError(
            f"table: expected columns that vary over the training rows, got constant"
            f" {', '.join(map(repr, dropped))} (drop_constant=True, or"
            " --config.data.drop_constant=True, leaves them out)"
        )
    if constant.all():
        raise ValueError("table: expected a column that varies, got only constant columns")
    keep = ~constant
    return TableSplits(
        *(values[rows][:, keep] for rows in parts),
        mean=mean[keep],
        std=std[keep],
        columns=[name for name, kept in zip(table.columns, keep, strict=True) if kept],
        dropped=dropped,
    )


def as_float64(table: Table) -> np.ndarray:
    """The values as float64 `[n, d]`, so that a model can subtract the mean before rounding.

    Raises:
      ValueError: if a value is beyond float32's range (the message names its row and column).
    """
    values = table.values.astype(np.float64, copy=False)
    within = np.abs(values) <= np.finfo(np.float32).max
    beyond = np.flatnonzero(~within.all(axis=1))
    if beyond.size:
        column = table.columns[np.flatnonzero(~within[beyond[0]])[0]]
        raise ValueError(
            "table: expected numbers within the range of float32, got larger ones in "
            f"{_rows(beyond)} (first in column {column!r})"
        )
    return values


def _shape(values: np.ndarray) -> str:
    return f"shape {list(values.shape)}"


def _rows(rows: np.ndarray) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more} (counted from 0)"
