"""The registry of small models that must pass `tests/model_checks.py`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from tests import small_baselines, small_flows, small_graphs, small_images, small_integers
from tfflows import models

INITIAL_ROWS, ROWS = 64, 12


def normal_rows(model, n):
    """Standard normal rows, and contexts for a conditional model."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, *model.event_shape)).astype("float32")
    if model.context_shape is None:
        return x, None
    return x, rng.normal(size=(n, *model.context_shape)).astype("float32")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A small model to be checked.

    Attributes:
      build: makes it, the same at every call, neither initialised nor trained.
      rows: takes the model and a number of rows, and returns as many rows of its data, inside of
        its support, and their contexts or None.
      setup: takes the model and its rows, and sets what comes before the initialisation.
      scale: how far its variables are moved from where they start.
    """

    build: Callable
    rows: Callable = normal_rows
    setup: Callable = lambda model, rows: None
    scale: float = 0.3

    def prepared(self):
        """The model, initialised, its weights moved; and some rows and contexts of its data."""
        model = self.build()
        x, context = self.rows(model, INITIAL_ROWS)
        self.setup(model, x)
        model.initialize(x, context)
        small_flows.shake(model, scale=self.scale)
        return model, x[:ROWS], None if context is None else context[:ROWS]


def _rows_of_the_unit_cube(model, n):
    """What a bounded flow is defined on."""
    rng = np.random.default_rng(1)
    return rng.uniform(0.05, 0.95, (n, *model.event_shape)).astype("float32"), None


def _mixed_rows(model, n):
    """An integer, a number that does not repeat, and halves."""
    rng = np.random.default_rng(0)
    columns = [rng.poisson(4, n), rng.normal(2, 3, n), 0.5 * rng.integers(0, 9, n)]
    return np.stack(columns, 1).astype(np.float64), None


def _set_statistics(model, rows):
    model.set_cells([1.0, 0.0, 0.5])
    model.set_standardization(rows.mean(0), rows.std(0))


def _estimated(build):
    return Entry(
        build,
        rows=lambda model, n: (small_baselines.rows_of(model.event_shape[0], n), None),
        setup=lambda model, rows: small_baselines.standardize(model),
        scale=0.0,
    )


REGISTRY = {
    **{name: Entry(build) for name, build in small_flows.FLOWS.items()},
    "quadratic_spline_bounded": Entry(
        small_flows.FLOWS["quadratic_spline_bounded"], rows=_rows_of_the_unit_cube
    ),
    **{
        f"image_{name}": Entry(build, rows=small_images.images, scale=0.05)
        for name, build in small_images.IMAGES.items()
    },
    **{name: _estimated(build) for name, build in small_baselines.BASELINES.items()},
    "conditional": Entry(lambda: models.MAF(2, context_dim=3, layers=2, hidden_units=(16,))),
    "cells": Entry(
        lambda: models.NSF(
            3, layers=1, hidden_units=(16,), bins=4, standardize=True, dequantize=True
        ),
        rows=_mixed_rows,
        setup=_set_statistics,
    ),
    **{
        name: Entry(build, rows=small_integers.integers, scale=small_integers.SCALES.get(name, 0.1))
        for name, build in small_integers.INTEGERS.items()
    },
    **{
        name: Entry(build, rows=small_graphs.rows, scale=small_graphs.SCALES.get(name, 0.05))
        for name, build in small_graphs.GRAPHS.items()
    },
}

# Every check runs on these by default: a coupling flow, an autoregressive one with contexts, a
# spline with cells, a flow of images, a baseline, and a model of integers that is no flow.
KINDS = ("realnvp", "conditional", "cells", "image_glow_5_bits", "mixture_2d", "categorical")
# The cheap checks also run on these.
MORE_KINDS = (*("nsf_ar", "histogram_2d", "image_glow_classes", "integer_flow_quantized"),)


@functools.cache
def prepared(name):
    """The named model, and rows and contexts of its data; do not change it.

    It is shared, so that each of its functions is traced once for all checks.
    """
    return REGISTRY[name].prepared()
