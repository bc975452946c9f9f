"""Finds columns that identify rows and measure nothing: indices, keys, names of rows."""

from __future__ import annotations

import re

import numpy as np

from tfflows.data import numerals

# Fewer rows may have distinct text or consecutive numbers by chance.
_ENOUGH = 11
_WORDS = frozenset(
    ["id", "ids", "uid", "uuid", "guid", "identifier", "rowid", "rowname", "rownames", "rownumber"]
)
# Other names contain these too (a price index), so a name may hold no words but these.
_WEAK = frozenset(
    ["idx", "index", "key", "row", "record", "sample", "primary", "number", "unnamed"]
)
_UNIT = re.compile(r"[+-]?\d[\d.,]*\s*[^\W\d_]{0,4}[%°/²³]?[^\W\d_]{0,3}[²³]?")


def reason(name: str, column: np.ndarray, first: bool) -> str:
    """A phrase that says why a column is an identifier; "" if it is not one.

    In a table of 11 rows or more, a column of whole numbers is an identifier if no two are equal,
    and either they are consecutive in any order or the name says so. A price in whole units that
    differs in every row is not an identifier. A column of text is an identifier if no two rows are
    equal and it does not hold numbers with a unit. In a table of any length, row numbers in a first
    column without a name are an identifier.

    Args:
      name: the column's name, "" if it has none.
      column: numbers or str, `[n]`.
      first: whether it is the file's first column.
    """
    n = len(column)
    unnamed = first and (not name or name.startswith("Unnamed:"))
    if column.dtype.kind == "O":
        if n < _ENOUGH and not unnamed:
            return ""
        different = len(set(column)) == n and not _may_be_numbers(column)
        return "text that differs in every row" if different else ""
    if column.dtype.kind not in "fiu" or n < 2 or not _whole(column):
        return ""
    ordered = np.sort(column)
    if (ordered[1:] == ordered[:-1]).any():
        return ""
    consecutive = float(ordered[-1]) - float(ordered[0]) == n - 1
    if unnamed and consecutive and ordered[0] in (0, 1):
        return "the number of the row"
    if n < _ENOUGH:
        return ""
    if consecutive:
        return f"the whole numbers from {ordered[0]:.0f} to {ordered[-1]:.0f}, each once"
    if _is_a_name_of_identifiers(name):
        return "a different whole number in every row, under an identifier's name"
    return ""


def _whole(column: np.ndarray) -> bool:
    if column.dtype.kind in "iu":
        return True
    return bool(np.isfinite(column).all() and (column == np.round(column)).all())


def _may_be_numbers(column: np.ndarray) -> bool:
    """Whether any cell of a text column is a number or missing, or all have units (`1.5kg`)."""
    cells = [cell.strip() for cell in column]
    return any(numerals.is_missing(cell) or numerals.is_number(cell) for cell in cells) or all(
        _UNIT.fullmatch(cell) for cell in cells
    )


def _is_a_name_of_identifiers(name: str) -> bool:
    """Whether a name contains a word like `id`: `customerId`, `customer_id`, `Customer ID`."""
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
    return bool(words & _WORDS or (words & {"idx", "index", "key"} and words <= _WEAK))
