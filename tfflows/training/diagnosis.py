"""Why a loss is no longer finite: the weights, or the row and the column that break it."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import keras
import numpy as np

_MOST_ROWS = 4096


def reason(
    model,
    dataset: Callable[[int], object],
    first: int,
    last: int,
    good_weights: pathlib.Path,
    describe: Callable[[np.ndarray, int], str] | None = None,
) -> str:
    """What there is to say of the steps at which the loss broke.

    The model may have its weights replaced by `good_weights`: its run is over.

    Args:
      model: a `DensityModel` in training.
      dataset: from the number of the first step to batches from there on.
      first, last: the steps, counted from 1.
      good_weights: file of the last good weights, if there is one.
      describe: from rows `[n, d]` of those steps, the one at fault first, and the number of the
        column at fault to words on them and what to do.

    Returns:
      A clause, or nothing. A diagnosis that itself fails says nothing: the error is the loss's.
    """
    if model.distribute_strategy.num_replicas_in_sync > 1 or model._target_log_prob is not None:
        return "lower the learning rate"
    try:
        return _reason(model, dataset, first, last, good_weights, describe)
    except Exception:
        return "lower the learning rate"


def _reason(model, dataset, first, last, good_weights, describe) -> str:
    x, context = _rows(dataset, first, last)
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0][[0, -1]]
        return f"a row of those steps has {x[row].flat[column]} in column {column}"
    broken = _not_finite(model)
    parts = [f"weights {broken} are not finite"] if broken else []
    scored = not broken
    if broken and good_weights.is_file():
        model.load_weights(good_weights)
        scored = True
    if x.ndim == 2 and describe is not None:
        row, column = _fault(model, x, context) if scored else _extreme(x)
        order = [row, *(i for i in range(len(x)) if i != row)]
        parts.append(describe(x[order], column))
    else:
        parts.append("lower the learning rate")
    return "; ".join(parts)


def _not_finite(model) -> str:
    """The path of the first weights that are not finite; empty if there are none."""
    for variable in model.trainable_weights:
        if not np.isfinite(keras.ops.convert_to_numpy(variable.value)).all():
            return variable.path
    return ""


def _rows(dataset, first: int, last: int) -> tuple[np.ndarray, np.ndarray | None]:
    batches = list(dataset(first - 1).take(last - first + 1).as_numpy_iterator())
    if isinstance(batches[0], tuple):
        x, context = (np.concatenate(parts)[:_MOST_ROWS] for parts in zip(*batches, strict=True))
        return x, context
    return np.concatenate(batches)[:_MOST_ROWS], None


def _fault(model, x: np.ndarray, context: np.ndarray | None) -> tuple[int, int]:
    """The worst row, and the column without whose value it would be the least bad."""
    scores = _scores(model, x, context)
    row = int(np.argmin(scores))
    usual = np.median(x, axis=0)
    changed = np.where(np.eye(x.shape[1], dtype=bool), usual, x[row]).astype(x.dtype)
    contexts = None if context is None else np.repeat(context[row : row + 1], len(changed), axis=0)
    gain = _scores(model, changed, contexts)
    if np.isneginf(gain).all():
        return row, _extreme(x[[row]], x)[1]
    return row, int(np.argmax(gain))


def _scores(model, x, context) -> np.ndarray:
    """Log-densities, -inf for those that are not finite."""
    scores = np.asarray(model.log_prob(x, context), np.float64)
    return np.where(np.isfinite(scores), scores, -np.inf)


def _extreme(rows: np.ndarray, among: np.ndarray | None = None) -> tuple[int, int]:
    """The row and column of the value furthest from its column's median."""
    among = (rows if among is None else among).astype(np.float64)
    centre = np.median(among, axis=0)
    spread = np.quantile(np.abs(among - centre), 0.75, axis=0)
    distance = np.abs(rows.astype(np.float64) - centre) / np.where(spread > 0, spread, 1.0)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    return tuple(int(i) for i in np.unravel_index(np.argmax(distance), distance.shape))
