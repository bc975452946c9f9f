"""Rows as pandas DataFrames: a model takes its columns by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfflows.data import by_name


class NamedColumns:
    """Of a Keras model: what of it takes rows takes DataFrames, whose columns go by name.

    The names are those of the DataFrame that the model was fitted to, or of the table that it was
    trained on where `zoo.load` made it. A model that knows none takes columns by position, and so
    do DataFrames without names, whose columns are called 0, 1, 2, ...
    """

    _columns = None

    @property
    def columns(self) -> list[str] | None:
        """Names of the columns of a row; None if the model knows none."""
        return None if self._columns is None else self._columns.split("\0")

    @columns.setter
    def columns(self, names: Sequence[str] | None) -> None:
        if names is not None and len(names) != self.event_shape[-1]:
            raise ValueError(f"columns: expected {self.event_shape[-1]} names, got {len(names)}")
        # As one string, which Keras does not track.
        self._columns = None if names is None else "\0".join(map(str, names))

    def columns_config(self) -> dict:
        """The names as an entry of the model's config; nothing if it knows none."""
        return {} if self._columns is None else {"columns": self.columns}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model of a config, with the names of its columns."""
        config = dict(config)
        columns = config.pop("columns", None)
        model = super().from_config(config, custom_objects=custom_objects)
        model.columns = columns
        return model

    def by_name(self, name: str, x):
        """Rows of a DataFrame as an array in the model's order of columns; others as they are.

        Args:
          name: of the argument, for errors.
          x: a DataFrame, or anything else.

        Raises:
          ValueError: if a column of the model's is missing, stands twice or is not of numbers.
        """
        if not _is_frame(x):
            return x
        if self.columns is not None:
            try:
                names = _names(x)
                if names is None and set(self.columns) <= set(map(str, x.columns)):
                    names = list(map(str, x.columns))  # they are called 0, 1, 2 in the model, too
                x = x.iloc[:, by_name.positions(names, x.shape[1], self.columns)]
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        for column, dtype in zip(x.columns, x.dtypes, strict=True):
            if dtype.kind not in "fiub":
                raise ValueError(
                    f"{name}: expected numbers in column {str(column)!r}, got dtype {dtype}"
                )
        dtypes = {dtype for dtype in x.dtypes if isinstance(dtype, np.dtype) and dtype.kind != "b"}
        if len(dtypes) == 1 and len(set(x.dtypes)) == 1:
            return x.to_numpy()
        return x.to_numpy(np.float64, na_value=np.nan)

    def learn_columns(self, x, keywords: dict) -> tuple:
        """What `fit` trains on, DataFrames by name; a model that knows no names learns them.

        Args:
          x: what `fit` was given.
          keywords: the rest, of which `validation_data` may have a DataFrame.

        Returns:
          Both, without DataFrames.
        """
        if _is_frame(x) and self.columns is None and x.shape[1] == self.event_shape[-1]:
            self.columns = _names(x)
        held_out = keywords.get("validation_data")
        if _is_frame(held_out):
            keywords = keywords | {"validation_data": self.by_name("validation_data", held_out)}
        elif isinstance(held_out, tuple | list) and held_out and _is_frame(held_out[0]):
            first = self.by_name("validation_data", held_out[0])
            keywords = keywords | {"validation_data": (first, *held_out[1:])}
        return self.by_name("x", x), keywords

    def fit(self, x=None, y=None, **kwargs):
        """As `Feeding.fit`; a DataFrame's columns go by name, and the model learns the names."""
        x, kwargs = self.learn_columns(x, kwargs)
        return super().fit(x, y, **kwargs)

    def evaluate(self, x=None, y=None, **kwargs):
        """Keras's `evaluate`: the mean loss over rows; a DataFrame's columns go by name."""
        return super().evaluate(self.by_name("x", x), y, **kwargs)

    def predict(self, x, **kwargs):
        """Keras's `predict`: the log-density `[n]` of rows; a DataFrame's columns go by name."""
        return super().predict(self.by_name("x", x), **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """Keras's `train_on_batch`; a DataFrame's columns go by name."""
        return super().train_on_batch(self.by_name("x", x), *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """Keras's `test_on_batch`; a DataFrame's columns go by name."""
        return super().test_on_batch(self.by_name("x", x), *args, **kwargs)

    def predict_on_batch(self, x):
        """Keras's `predict_on_batch`; a DataFrame's columns go by name."""
        return super().predict_on_batch(self.by_name("x", x))


def _is_frame(x) -> bool:
    """Whether `x` is a DataFrame of pandas, which need not be installed."""
    return all(hasattr(x, name) for name in ("iloc", "columns", "dtypes"))


def _names(x) -> list[str] | None:
    """Names of a DataFrame's columns; None if it was made without."""
    numbered = list(x.columns) == list(range(x.shape[1]))
    return None if numbered else [str(column) for column in x.columns]
