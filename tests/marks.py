"""Which of many parameters a test runs on by default."""

from collections.abc import Collection, Iterable

import pytest


def some(names: Iterable[str], default: Collection[str]) -> list:
    """Parameters for a test: each of `names`, marked slow unless it is one of `default`.

    Raises:
      ValueError: if `default` names what there is not.
    """
    names = list(names)
    if missing := sorted({*default} - {*names}):
        raise ValueError(f"default: {missing} of no parameter")
    slow = [pytest.mark.slow]
    return [pytest.param(name, marks=[] if name in default else slow) for name in names]
