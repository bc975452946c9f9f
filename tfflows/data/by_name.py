"""Finds a trained model's columns in a table, by name or by position."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DEFAULT = re.compile(r"column_\d+")
_SHOWN = 20


def default_names(count: int) -> list[str]:
    """Default column names, for a table that has none."""
    return [f"column_{i}" for i in range(count)]


def are_default(names: Sequence[str]) -> bool:
    """Whether all names are default names (`column_0` and so on)."""
    return all(_DEFAULT.fullmatch(name) for name in names)


def by_position(names: Sequence[str] | None, wanted: Sequence[str]) -> bool:
    """Whether to match columns by position, because the table or the model has no names."""
    return names is None or (are_default(wanted) and not set(wanted) <= set(names))


def positions(
    names: Sequence[str] | None,
    width: int,
    wanted: Sequence[str],
    original: Sequence[str] | None = None,
) -> list[int]:
    """Finds the positions in a table of the columns that a model knows.

    Columns are matched by name. If the table has no names, or the model was trained on columns
    without names, they are matched by their position in the table that the model was trained on,
    or in the model.

    Args:
      names: names of the table's columns; None if it has none.
      width: number of columns in the table.
      wanted: names of the model's columns.
      original: names of all columns of the table that the model was trained on, in order.

    Raises:
      ValueError: if a name is missing or occurs twice, or the number of columns does not match.
    """
    if not by_position(names, wanted):
        places = {name: i for i, name in enumerate(names)}
        missing = [name for name in wanted if name not in places]
        if missing:
            raise ValueError(
                f"columns: expected {_shown(wanted)} by name, missing {_shown(missing)}, got "
                f"{_shown(names)}"
            )
        double = [name for i, name in enumerate(names) if name in wanted and places[name] > i]
        if double:
            raise ValueError(f"columns: expected different names, got {double[0]!r} twice")
        return [places[name] for name in wanted]
    for whole in (original, wanted):
        if whole and width == len(whole):
            return [list(whole).index(name) for name in wanted]
    counts = sorted({len(whole) for whole in (original, wanted) if whole})
    raise ValueError(
        f"columns: expected {' or '.join(map(str, counts))} (matched by position, because there "
        f"are no names), got {width}"
    )


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
