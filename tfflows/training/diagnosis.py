"""Finds why a loss is no longer finite: the weights, or a row and a column that break it."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

import keras
import numpy as np

_MOST_ROWS = 4096
_FAR = 10.0  # a value stands out from this many times the spread of the middle rows
_DEFICIT = 20.0  # a row stands out from this many nats below the median
_COPY = 1e-5  # a copy differs from another column by less than this share of the deviation


@dataclasses.dataclass(frozen=True)
class Names:
    """What to call things in a message.

    Attributes:
      columns: names of the columns of a row; their numbers by default.
      rate: the learning rate, as the user sets it.
    """

    columns: Sequence[str] | None = None
    rate: str = "the learning rate"

    def column(self, number: int) -> str:
        """The name of a column, in quotes, or its number."""
        return str(number) if self.columns is None else repr(self.columns[number])


def reason(
    model,
    dataset: Callable[[int], object],
    first: int,
    last: int,
    good_weights: pathlib.Path,
    names: Names,
) -> str:
    """Says what broke the loss in the given steps, and what to do.

    It may replace the model's weights by `good_weights`, as the model's run is over.

    Args:
      model: a `DensityModel` in training.
      dataset: function from the number of the first step to the batches from that step on.
      first, last: the steps, counted from 1.
      good_weights: file of the last good weights, if there is one.
      names: what to call columns and the learning rate.

    Returns:
      A clause. If the diagnosis itself fails, the clause gives only the remedy: the error to report
      is that of the loss.
    """
    remedy = f"lower {names.rate}"
    if model.distribute_strategy.num_replicas_in_sync > 1 or model._target_log_prob is not None:
        return remedy
    try:
        x, context = _rows(dataset, first, last)
        broken = _not_finite(model)
        if broken and good_weights.is_file():
            model.load_weights(good_weights)
        fault = _fault(model, x, context, names) if x.ndim == 2 else None
    except Exception:
        return remedy
    parts = [f"weights {broken} are not finite"] if broken else []
    if fault is not None:
        text, column = fault
        parts.append(text)
        remedy += f", or leave out column {names.column(column)}"
    return "; ".join([*parts, remedy])


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


def _fault(model, x: np.ndarray, context, names: Names) -> tuple[str, int] | None:
    """What is wrong with the rows, and the column; `None` if nothing stands out."""
    values = x.astype(np.float64)
    found = _not_a_number(values)
    judged = None
    if found is None and not _not_finite(model):
        judged, finite = _breaking(model, x, context)
        found = None if finite else judged
    if found is None:
        columns = _of_columns(values, names)
        if columns is not None:
            return columns
        found = judged or _far(values)
    if found is None:
        return None
    row, column = found
    usual = np.nanmedian(values[:, column])
    return (
        f"a row has {values[row, column]:.6g} in column {names.column(column)}, where the median "
        f"is {usual:.6g}"
    ), column


def _of_columns(x: np.ndarray, names: Names) -> tuple[str, int] | None:
    """Describes a column that is constant or a copy of another: the text, and the column."""
    centred = x - x.mean(axis=0)
    deviation = centred.std(axis=0)
    constant = np.flatnonzero(deviation == 0)
    if constant.size:
        column = int(constant[0])
        return f"column {names.column(column)} has one value in all rows of a batch", column
    unit = centred / deviation
    for column in range(1, unit.shape[1]):
        for other in range(column):
            sign = np.sign(unit[:, column] @ unit[:, other])
            if np.std(unit[:, column] - sign * unit[:, other]) < _COPY:
                both = f"{names.column(other)} and {names.column(column)}"
                return f"columns {both} are copies of each other up to scale and offset", column
    return None


def _not_a_number(x: np.ndarray) -> tuple[int, int] | None:
    bad = np.argwhere(~np.isfinite(x))
    return tuple(int(i) for i in bad[0]) if bad.size else None


def _breaking(model, x: np.ndarray, context) -> tuple[tuple[int, int] | None, bool]:
    """The worst row and the column that breaks it, or `None` if none stands out.

    The column is the one whose median would improve the row's density most. Also returns whether
    the density of that row is finite.
    """
    scores = _scores(model, x, context)
    row = int(np.argmin(scores))
    finite = bool(np.isfinite(scores[row]))
    usual = np.median(x, axis=0)
    changed = np.where(np.eye(x.shape[1], dtype=bool), usual, x[row]).astype(x.dtype)
    contexts = None if context is None else np.repeat(context[row : row + 1], len(changed), axis=0)
    mended = _scores(model, changed, contexts)
    column, typical = int(np.argmax(mended)), np.median(scores)
    stands_out = np.isfinite(mended[column]) and not (
        finite
        and (typical - scores[row] < _DEFICIT or mended[column] < (typical + scores[row]) / 2)
    )
    return ((row, column) if stands_out else None), finite


def _scores(model, x, context) -> np.ndarray:
    """Log-densities, -inf for those that are not finite."""
    scores = np.asarray(model.log_prob(x, context), np.float64)
    return np.where(np.isfinite(scores), scores, -np.inf)


def _far(x: np.ndarray) -> tuple[int, int] | None:
    """The row and the column of the value furthest from its column's median, if it is far."""
    centre = np.median(x, axis=0)
    spread = np.quantile(np.abs(x - centre), 0.75, axis=0)
    distance = np.abs(x - centre) / np.where(spread > 0, spread, np.inf)
    row, column = (int(i) for i in np.unravel_index(np.argmax(distance), distance.shape))
    return (row, column) if distance[row, column] > _FAR else None
