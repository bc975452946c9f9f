"""Feeds rows to Keras's `fit` without rounding, and takes a sample of them for statistics."""

from __future__ import annotations

import itertools
import math

import keras
import numpy as np
import tensorflow as tf

# This many rows give statistics of a column to 2 %; images are limited by their numbers instead.
_MOST_ROWS, _FEWEST_ROWS, _NUMBERS = 4096, 32, 2**18
_MOST_BATCHES = 256
_CHUNK = 2**22  # numbers checked at a time


class Feeding:
    """Mixin with the methods of a density model that pass rows to Keras."""

    _initialized_from_all = False  # `fit` takes all of an array's rows, not some
    takes_float64 = False  # whether float64 data reach `log_prob_fn` as they are

    def fit(self, x=None, y=None, **kwargs):
        """Initialises what is set from data, from some of the rows; then runs Keras's `fit`.

        Args:
          x: a `tf.data.Dataset` of `x`, `(x, context)` or `(x, context, sample_weight)`; or rows
            as an array. The first batches of a data set, or a fixed random sample of an array's
            rows, initialise the model: some thousands of rows of a table, fewer of images.
          y: the contexts, if `x` is an array.
          **kwargs: Keras's.

        Returns:
          Keras's `History`.

        Raises:
          ValueError: for rows of a wrong shape, or for NaN or infinity in an array or in the
            batches that initialise the model.
        """
        _check_weights(y, kwargs)
        if self._target_log_prob is None and x is not None:
            x, y = self._prepared(x, y)
            if is_array(x):
                x, y, kwargs = self._unrounded(x, y, kwargs)
        validation = kwargs.get("validation_data")
        if isinstance(validation, tuple | list) and len(validation) and is_array(validation[0]):
            parts = [*validation, None, None][:3]
            if self._rounds(parts[0]):
                size = kwargs.get("validation_batch_size") or kwargs.get("batch_size")
                kwargs["validation_data"] = batches_of(*parts, size, shuffle=False)
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras would warn that it cannot
        return super().fit(x, y, **kwargs)

    def _prepared(self, x, y):
        """Checks `fit`'s rows, initialises from them, and returns them to pass to Keras."""
        count = initial_count(self.event_shape)
        if is_array(x):
            x = x if tf.is_tensor(x) else np.asarray(x)
            self._check_rows("x", x)
            some = some_rows([x, y], count)
            self._check_rounding("x", some[0])
            if not self.initialized:
                self.initialize(*([x, y] if self._initialized_from_all else some))
            return x, y
        if isinstance(x, tf.data.Dataset):
            spec = x.element_spec
            spec = spec[0] if isinstance(spec, tuple | list) else spec
            if getattr(spec, "shape", None) is not None and spec.shape.rank is not None:
                self._check_spec("x", spec)
        if not self.initialized:
            batches = iter(x)
            some, context, read = first_rows(batches, count)
            self.initialize(some, context)
            if batches is x:  # a generator, which cannot restart
                x = (batch for batch in itertools.chain(read, batches))
        return x, y

    def _check_rows(self, name, x):
        """Raises a ValueError if rows, all in one array, cannot be trained on."""
        self._check_spec(name, x)
        for start, part in chunks(x, self.event_shape):
            self.check_data(name, part, start)

    def check_data(self, name: str, x, start: int = 0) -> None:
        """Raises a ValueError that names the argument, if a row is not valid data.

        Args:
          name: name of the argument.
          x: `[batch, *event]`.
          start: number of the first row, for the error.
        """
        x = as_tensor(x)
        finite = np.isfinite(x.numpy().reshape(x.shape[0], -1)).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise ValueError(f"{name}: expected finite rows, got NaN or infinity in row {row}")

    def _check_rounding(self, name, x):
        """Hook: raises a ValueError if rounding to float32 would spoil the rows."""

    def _rounds(self, x) -> bool:
        """Whether the model takes the rows as they are but Keras would round them to float32."""
        return self.takes_float64 and np.dtype(getattr(x.dtype, "as_numpy_dtype", x.dtype)) == float

    def _unrounded(self, x, y, keywords):
        """The arrays and keywords of `fit`, with a data set in place of float64 arrays."""
        if not self._rounds(x):
            return x, y, keywords
        keywords = dict(keywords)
        size = keywords.pop("batch_size", None)
        weights = keywords.pop("sample_weight", None)
        share = keywords.pop("validation_split", 0.0)
        if share:
            (x, y, weights), held_out = validation_parts(x, y, weights, share)
            held_size = keywords.get("validation_batch_size") or size
            if keywords.get("validation_data") is None:
                keywords["validation_data"] = batches_of(*held_out, held_size, shuffle=False)
        shuffle = bool(keywords.pop("shuffle", True))
        return batches_of(x, y, weights, size, shuffle), None, keywords

    def evaluate(self, x=None, y=None, **kwargs):
        """Keras's `evaluate`: the mean loss over rows; takes the arguments of `fit`."""
        _check_weights(y, kwargs)
        if is_array(x):
            self._check_spec("x", x)
            x, y, kwargs = self._unrounded(x, y, {"shuffle": False, **kwargs})
            kwargs.pop("shuffle", None)
        return super().evaluate(x, y, **kwargs)

    def predict(self, x, **kwargs):
        """Keras's `predict`: the log-density `[n]` of each row."""
        if is_array(x):
            self._check_spec("x", x)
            x, _, kwargs = self._unrounded(x, None, {"shuffle": False, **kwargs})
            kwargs.pop("shuffle", None)
        return super().predict(x, **kwargs)


def _check_weights(y, keywords):
    if y is None and keywords.get("sample_weight") is not None:
        raise ValueError(
            "sample_weight: expected None without contexts, because Keras ignores it if y is "
            "None; repeat rows instead"
        )


def is_array(x) -> bool:
    """Whether `x` holds all rows in one array, rather than batches."""
    return isinstance(x, np.ndarray) or tf.is_tensor(x) or hasattr(x, "to_numpy")


def initial_count(event_shape) -> int:
    """The number of rows that is enough to initialise a model and not too much for memory."""
    return min(_MOST_ROWS, max(_FEWEST_ROWS, _NUMBERS // math.prod(event_shape)))


def some_rows(arrays: list, count: int) -> list:
    """At most `count` rows of each array: the same random rows in all arrays and all calls.

    Args:
      arrays: arrays `[n, ...]`; `None` stays `None`.
      count: number of rows.
    """
    n = arrays[0].shape[0]
    if n <= count:
        return arrays
    chosen = np.sort(np.random.default_rng(0).choice(n, count, replace=False))

    def take(array):
        return tf.gather(array, chosen) if tf.is_tensor(array) else np.asarray(array)[chosen]

    return [array if array is None else take(array) for array in arrays]


def first_rows(batches, count: int):
    """Reads enough batches to hold `count` rows.

    Args:
      batches: iterator over `x`, `(x, context)` or `(x, context, weights)`.
      count: number of rows.

    Returns:
      `x` and context (or `None`), each with at most `count` rows, and the list of batches read.
    """
    read, found = [], 0
    for batch in itertools.islice(batches, _MOST_BATCHES):
        read.append(batch)
        found += keras.utils.unpack_x_y_sample_weight(batch)[0].shape[0]
        if found >= count:
            break
    parts = [keras.utils.unpack_x_y_sample_weight(batch)[:2] for batch in read]
    x, context = (
        None if column[0] is None else np.concatenate([np.asarray(v) for v in column])[:count]
        for column in zip(*parts, strict=True)
    )
    return x, context, read


def chunks(x, event_shape):
    """Parts of the rows `x` small enough to check one by one, each with its first row's number."""
    rows = max(1, _CHUNK // math.prod(event_shape))
    for start in range(0, x.shape[0], rows):
        yield start, x[start : start + rows]


def batches_of(x, y, weights, batch_size: int | None, shuffle: bool) -> tf.data.Dataset:
    """Batches rows as Keras would, but in their own dtype where Keras would use float32.

    Args:
      x: rows `[n, ...]`.
      y, weights: `[n, ...]` each, or `None`.
      batch_size: rows in a batch; 32 if `None`.
      shuffle: whether to shuffle the rows anew in each epoch.
    """
    parts = [x] if y is None else [x, y] if weights is None else [x, y, weights]
    with tf.device("CPU:0"):  # where tf.data runs
        parts = [tf.convert_to_tensor(part) for part in parts]
    numbers = tf.data.Dataset.range(parts[0].shape[0])
    if shuffle:
        numbers = numbers.shuffle(parts[0].shape[0])

    def gather(chosen):
        batch = tuple(tf.gather(part, chosen) for part in parts)
        return batch if len(batch) > 1 else batch[0]

    batches = numbers.batch(batch_size or 32).map(gather, num_parallel_calls=tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


def validation_parts(x, y, weights, share: float):
    """Splits off the last rows of the arrays, a share of all, as Keras does."""
    kept = math.floor(x.shape[0] * (1.0 - share))
    if not 0 < kept < x.shape[0]:
        raise ValueError(
            f"validation_split: expected rows in both parts, got {share} of {x.shape[0]} rows"
        )
    arrays = [x, y, weights]
    return [
        [None if a is None else a[rows] for a in arrays] for rows in (np.s_[:kept], np.s_[kept:])
    ]


def as_tensor(value) -> tf.Tensor:
    """`value` as a tensor; numbers without a dtype, such as those in a list, as numpy has them."""
    if not (tf.is_tensor(value) or isinstance(value, (np.ndarray, keras.Variable))):
        try:
            array = np.asarray(value)
        except (NotImplementedError, TypeError, ValueError):  # symbolic, or not an array
            array = None
        if array is not None and array.dtype.kind in "fiub":
            value = array
    return tf.convert_to_tensor(value)
