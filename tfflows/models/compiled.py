"""Graph functions of a model, traced once for all batch sizes, or compiled with XLA for one."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable

import tensorflow as tf

from tfflows.checks import whole_number

_SMALLEST_SHARE = 128  # fewest rows worth a core of their own under XLA


class Compiled:
    """Mixin that runs a model's graph functions, each traced once."""

    event_dtype = tf.float32
    _xla_batch_size = None

    def use_xla(self, batch_size: int | None) -> None:
        """Compiles `log_prob`, `sample` and the others with XLA, for batches of one size.

        XLA recompiles for every batch size, which takes seconds. So rows are cut into batches of
        this size, the last one is padded, and XLA compiles once. On CPUs the cores share the rows
        of a batch. It pays off if many rows are scored or drawn: on CPUs spline and autoregressive
        flows run several times faster, but small batches do not. Values agree with those without
        XLA to float precision, and draws are the same. Calls inside another `tf.function` are left
        to that function.

        Args:
          batch_size: rows in a batch; `None`, the initial setting, for no XLA.

        Raises:
          ValueError: if `batch_size` is neither a positive whole number nor `None`.
        """
        if batch_size is not None:
            if isinstance(batch_size, bool) or tf.is_tensor(batch_size):
                raise ValueError(f"batch_size: expected a Python int, got {batch_size!r}")
            batch_size = whole_number("batch_size", batch_size, 1)
        self._xla_batch_size = batch_size

    def _compiled(self, method: str, *arguments):
        """Runs the named graph function, traced once for all batch sizes; `None`s are left out."""
        present = [argument is not None for argument in arguments]
        arguments = [argument for argument in arguments if argument is not None]
        rows, size = arguments[0].shape[0], self._xla_batch_size
        if tf.inside_function() or not rows:
            size = None
        functions = self.__dict__.setdefault("_functions", {})
        dtypes = tuple(argument.dtype for argument in arguments)
        key = method, size, dtypes, self.event_dtype
        if key not in functions:

            def run(*given):
                given = iter(given)
                return getattr(self, method)(*(next(given) if p else None for p in present))

            functions[key] = _traced(run, arguments, size)
        function = functions[key]
        if rows == 0 and not tf.inside_function():
            # TensorFlow's convolutions on CPUs refuse an empty batch.
            one = [tf.zeros([1, *argument.shape[1:]], argument.dtype) for argument in arguments]
            return tf.nest.map_structure(lambda value: value[:0], function(*one))
        if size is None or rows == size:
            return function(*arguments)
        batches = []
        for start in range(0, rows, size):
            batch = [argument[start : start + size] for argument in arguments]
            missing = size - batch[0].shape[0]
            if missing:
                batch = [tf.concat([v, tf.repeat(v[:1], missing, 0)], 0) for v in batch]
            kept = operator.itemgetter(slice(size - missing))
            batches.append(tf.nest.map_structure(kept, function(*batch)))
        return _concatenated(batches)


def _traced(run: Callable, arguments, size: int | None):
    """`run` as a graph for any number of rows or, with XLA, for `size` rows."""

    def trace(function, rows, **kwargs):
        return tf.function(function, autograph=False, **kwargs).get_concrete_function(
            *(tf.TensorSpec([rows, *a.shape[1:]], a.dtype) for a in arguments)
        )

    if size is None:
        return trace(run, None)
    # XLA keeps few cores busy, so the cores share the rows.
    shares = _shares(size)
    compiled = trace(run, size // shares, jit_compile=True)

    def run_shares(*given):
        return _concatenated(
            [compiled(*share) for share in zip(*(tf.split(a, shares) for a in given), strict=True)]
        )

    return trace(run_shares, size)


def _shares(size: int) -> int:
    """The number of equal shares, none of them small, that the cores split `size` rows into."""
    if tf.config.list_physical_devices("GPU"):
        return 1
    most = max(1, min(usable_cores(), size // _SMALLEST_SHARE))
    return next(shares for shares in range(most, 0, -1) if size % shares == 0)


def usable_cores() -> int:
    """Cores that the process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _concatenated(results: list):
    return tf.nest.map_structure(lambda *values: tf.concat(values, 0), *results)
