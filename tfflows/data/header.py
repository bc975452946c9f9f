"""Decides whether the first line of a file holds names or numbers."""

from __future__ import annotations

import re

from tfflows.data.numerals import is_missing, is_number

_WHOLE = re.compile(r"\d+(?:\.0*)?")
_ENOUGH = 8  # rows needed to decide
_SHOWN = 4  # cells of a line in a message


def decide(
    first: list[str], body: list[list[str]], wanted: list[str] | None = None
) -> tuple[bool, str]:
    """Whether the first line of a file holds the names of its columns.

    A line of text holds names; a line with numbers does not. There are two exceptions. Numbers that
    count up (0, 1, 2, ...) are names, as in a table that was written without names. So are other
    numbers at equal steps (2001, 2002, ...) if, in each column, most numbers have fractions or the
    number above them is outside their range. Text in a line of numbers is a name only if the column
    below it holds numbers and all other cells may be names too.

    Args:
      first: cells of the first line.
      body: cells of the lines after it, or of the first few of these.
      wanted: names that the file is expected to have.

    Returns:
      Whether it holds names, and a notice for the user if that is uncertain, else "".
    """
    cells = [cell.strip() for cell in first]
    if wanted and set(wanted) <= set(cells):
        return True, ""
    below = [[row[i].strip() for row in body if i < len(row)] for i in range(len(cells))]
    missing = [i for i, cell in enumerate(cells) if is_missing(cell)]
    numbers = [i for i, cell in enumerate(cells) if i not in missing and is_number(cell)]
    text = [i for i in range(len(cells)) if i not in missing and i not in numbers]
    # A table that was written with its index has an empty cell before its names.
    indexed = len(cells) > 1 and cells[0] == "" and _is_index(below[0])
    gaps = [i for i in missing if i or not indexed]
    if not numbers:
        return _text_is_names(cells, below, text, gaps), ""
    if gaps or any(not _like_a_name(cells[i]) for i in text):
        return False, ""
    counted, open_question = _numbers_are_names(
        [cells[i] for i in numbers], [below[i] for i in numbers], indexed
    )
    if text:
        over_numbers = all(_mostly_numbers(below[i]) for i in text)
        whole = all(_WHOLE.fullmatch(cells[i]) for i in numbers)
        different = len({cells[i] for i in numbers}) == len(numbers)
        counted = counted or (over_numbers and whole and different)
        open_question = open_question or over_numbers
    if counted:
        return True, f"the first line ({_shown(cells)}) is read as column names, not as a row"
    if open_question:
        return False, f"the first line ({_shown(cells)}) is read as a row, not as column names"
    return False, ""


def _text_is_names(cells, below, text, gaps) -> bool:
    """Whether a line without a number holds names."""
    names = [i for i in text if _like_a_name(cells[i])]
    if len(names) == len(text) and not gaps:
        return bool(names)
    # Some cells are missing, or begin like numbers (`1.5kg`): then names must be above numbers.
    others = [i for i in text if i not in names and _mostly_numbers(below[i])]
    good = [i for i in names if _mostly_numbers(below[i])] + (others if len(others) > 1 else [])
    return bool(good) and len(gaps) <= len(good)


def _numbers_are_names(cells, below, indexed) -> tuple[bool, bool]:
    """Whether numbers in the first line are names, and whether that is uncertain."""
    if not all(_WHOLE.fullmatch(cell) for cell in cells) or not below[0]:
        return False, False
    values = [int(float(cell)) for cell in cells]
    step = values[1] - values[0] if len(values) > 1 else 1
    if step == 0 or any(b - a != step for a, b in zip(values, values[1:], strict=False)):
        # Years with gaps, say: too little evidence for names, but enough for a notice.
        rising = all(a < b for a, b in zip(values, values[1:], strict=False))
        return False, rising and _are_unlike(values, below)
    if _at_equal_steps(below, step):  # the rows have equal steps, too
        return False, False
    if len(values) < 3:
        shares = [_fractions(column) for column in below]
        # One or two numbers are little evidence: accept pandas's own names, above real numbers.
        counted = step == 1 and values[0] in (0, 1)
        enough = (
            min(shares) >= 0.9 and len(below[0]) >= _ENOUGH and (len(values) > 1 or not values[0])
        )
        return counted and (indexed or enough), counted
    counted = step == 1 and (values[0] == 0 or (values[0] == 1 and len(values) > 4))
    return counted or indexed or _are_unlike(values, below), True


def _are_unlike(values: list[int], below: list[list[str]]) -> bool:
    """Whether each column holds mostly fractions, or a range that excludes the value above it."""
    return all(
        _fractions(column) >= 0.5 or _is_outside(value, column)
        for value, column in zip(values, below, strict=True)
    )


def _is_index(column: list[str]) -> bool:
    """Whether cells may number or name the rows."""
    different = bool(column) and len(set(column)) == len(column)
    whole = [bool(_WHOLE.fullmatch(cell)) for cell in column]
    return different and (all(whole) or not any(map(is_number, column)))


def _fractions(column: list[str]) -> float:
    """The share of a column's cells that are numbers with a fraction."""
    numbers = [cell for cell in column if is_number(cell)]
    whole = sum(bool(_WHOLE.fullmatch(cell.lstrip("+-"))) for cell in numbers)
    return 1.0 - whole / len(numbers) if numbers else 0.0


def _at_equal_steps(below, step: int) -> bool:
    """Whether one of the first rows holds whole numbers that advance by the same step."""
    for row in zip(*(column[:20] for column in below), strict=False):
        if len(row) < 2 or not all(_WHOLE.fullmatch(cell) for cell in row):
            continue
        if all(float(b) - float(a) == step for a, b in zip(row, row[1:], strict=False)):
            return True
    return False


def _is_outside(value: float, column: list[str]) -> bool:
    numbers = [float(cell) for cell in column if _WHOLE.fullmatch(cell)]
    return bool(numbers) and not min(numbers) <= value <= max(numbers)


def _like_a_name(cell: str) -> bool:
    """Whether text begins differently from a number."""
    return not (cell[0].isdigit() or (cell[0] in "+-.," and cell[1:2].isdigit()))


def _mostly_numbers(column: list[str]) -> bool:
    present = [cell for cell in column if not is_missing(cell)]
    return bool(present) and 2 * sum(map(is_number, present)) > len(present)


def _shown(cells: list[str]) -> str:
    more = ", ..." if len(cells) > _SHOWN else ""
    return ", ".join(cells[:_SHOWN]).lstrip(", ") + more
