"""Columns that repeat another up to an offset and a factor."""

import numpy as np

from tfflows.data.copies import find_copies


def test_copies_are_found_and_near_copies_are_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    table = np.stack(
        [
            x,
            x,
            1.8 * x + 32.0,
            -3e5 * x,
            (0.1 * x).astype(np.float32),
            x + 1e-4 * rng.normal(size=2000),
            rng.normal(size=2000),
        ],
        axis=1,
    )
    assert find_copies(table) == {1: 0, 2: 0, 3: 0, 4: 0}
    assert find_copies(table[:, 5:]) == {}
