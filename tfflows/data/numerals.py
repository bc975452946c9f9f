"""Parses cells of text as float64, with decimal commas and grouped thousands.

`1,234` is 1234 to one reader and 1.234 to another. It is read if the file decides between the
two, and refused if not.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np

# Cells that stand for a missing value, in lower case.
MISSING = frozenset(
    ["", "-", "--", "?", ".", "#n/a", "#na", "n/a", "na", "nan", "-nan", "+nan", "null", "nil"]
    + ["none", "<na>", "#null!", "#div/0!", "#value!", "#ref!", "#num!", "missing"]
)

_EXPONENT = r"(?:[eE][+-]?\d+)?"
_PLAIN = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_COMMA = re.compile(rf"[+-]?(?:\d*,\d+){_EXPONENT}")
_GROUPS_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}((?:,\d{3})+)(\.\d*)?")
_GROUPS_POINT = re.compile(r"[+-]?[1-9]\d{0,2}((?:\.\d{3})+)(,\d*)?")
_SPACES = " '’\u00a0\u2009\u202f"
_GROUPS_SPACE = re.compile(rf"[+-]?[1-9]\d{{0,2}}((?:[{_SPACES}]\d{{3}})+)([.,]\d*)?")
_SMALL = re.compile(r"[+-]?\d{1,3}(?:\.\d*)?")
_NO_SPACES = str.maketrans("", "", _SPACES)


@dataclasses.dataclass(frozen=True)
class Style:
    """How the numbers of a file are written.

    Attributes:
      comma: whether the decimal sign is a comma, and a point groups thousands.
      groups: whether thousands are grouped, by the one of comma and point that is not decimal.
    """

    comma: bool = False
    groups: bool = False


class NumeralError(Exception):
    """Numbers of a file that can be read in two ways."""


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a missing value."""
    return cell.strip().lower() in MISSING


def is_plain(cell: str) -> bool:
    """Whether a cell is a number as programs write it, with or without a decimal point."""
    return bool(_PLAIN.fullmatch(cell) or _INFINITE.fullmatch(cell))


def is_number(cell: str, spaces: bool = True) -> bool:
    """Whether a cell is a number in any style; spaces may group thousands only if `spaces`."""
    cell = cell.strip()
    styles = (_COMMA, _GROUPS_COMMA, _GROUPS_POINT, *([_GROUPS_SPACE] if spaces else []))
    return is_plain(cell) or any(style.fullmatch(cell) for style in styles)


def style_of(columns: dict[str, np.ndarray], has_points: bool, separator: str) -> Style:
    """The style of a file's numbers.

    Args:
      columns: by name, the distinct cells of each column that holds more than plain numbers.
      has_points: whether another column has decimal points.
      separator: what separates the cells.

    Raises:
      NumeralError: if the file has both decimal commas and decimal points, or a comma that may be
        a decimal sign or may group thousands (the message gives an example).
    """
    comma = groups = doubtful = point = None
    for name, cells in columns.items():
        for cell in map(str.strip, cells):
            found = (name, cell)
            if _COMMA.fullmatch(cell) and not _GROUPS_COMMA.fullmatch(cell):  # nearly all cells
                comma = found
                continue
            by_comma, by_point = _GROUPS_COMMA.fullmatch(cell), _GROUPS_POINT.fullmatch(cell)
            spaces = _GROUPS_SPACE.fullmatch(cell)
            if by_comma:
                sure = by_comma[2] or len(by_comma[1]) > 4
                groups, doubtful = (found, doubtful) if sure else (groups, found)
            elif by_point and (by_point[2] or len(by_point[1]) > 4):
                comma = found
            elif spaces and spaces[2]:
                comma, point = (found, point) if spaces[2][0] == "," else (comma, found)
            elif "." in cell and is_plain(cell) and not by_point:
                point = found
    if comma:
        other = groups or point
        if other:
            raise NumeralError(
                f"columns: expected decimal points or decimal commas, got both: {comma[1]!r} in"
                f" column {comma[0]!r} and {other[1]!r} in column {other[0]!r}"
            )
        return Style(comma=True, groups=_has_point_groups(columns))
    if doubtful and not (groups or point or has_points or separator == ","):
        raise NumeralError(
            f"column {doubtful[0]!r}: {doubtful[1]!r} may mean {doubtful[1].replace(',', '')} or "
            f"{doubtful[1].replace(',', '.')}, and nothing in the file tells which; write it "
            "with a decimal point and no thousands separator"
        )
    return Style(groups=bool(groups or doubtful))


def _has_point_groups(columns: dict[str, np.ndarray]) -> bool:
    """Whether points group thousands for certain: several groups, or a comma after them."""
    matches = (_GROUPS_POINT.fullmatch(cell.strip()) for c in columns.values() for cell in c)
    return any(match and (match[2] or len(match[1]) > 4) for match in matches)


def parse(cells: np.ndarray, style: Style) -> tuple[np.ndarray, np.ndarray]:
    """Parses the distinct cells of one column as numbers.

    Args:
      cells: str `[k]`.
      style: the file's style.

    Returns:
      float64 `[k]`, NaN for a missing value and for text; and bool `[k]`, whether a cell is text.
    """
    stripped = [cell.strip() for cell in cells]
    # A four-digit number without groups beside `1,234` means two styles in one column.
    grouped = any(_GROUPS_COMMA.fullmatch(cell) for cell in stripped)
    small = style.groups and not style.comma and grouped
    values = np.full(len(stripped), np.nan)
    text = np.zeros(len(stripped), bool)
    for i, cell in enumerate(stripped):
        if style.comma and _COMMA.fullmatch(cell):  # nearly all cells
            values[i] = float(cell.replace(",", "."))
            continue
        if is_missing(cell):
            continue
        number = _plain(cell, style)
        if number is None or (small and "," not in cell and not _SMALL.fullmatch(cell)):
            text[i] = True
        else:
            values[i] = float(number)
    return values, text


def _plain(cell: str, style: Style) -> str | None:
    """The number as programs write it, or None for text."""
    if _GROUPS_SPACE.fullmatch(cell):
        cell = cell.translate(_NO_SPACES)
    if style.comma:
        if "." in cell:
            if not style.groups or not _GROUPS_POINT.fullmatch(cell):
                return None
            cell = cell.replace(".", "")
        cell = cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell
    elif style.groups and _GROUPS_COMMA.fullmatch(cell):
        cell = cell.replace(",", "")
    return cell if is_plain(cell) else None
