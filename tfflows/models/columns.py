"""Rows as pandas DataFrames: a model finds its columns by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfflows.data import by_name


class NamedColumns:
    """Mixin for Keras models: methods that take rows also take DataFrames, matched by name.

    The names are those of the DataFrame that the model was fitted to or, if `zoo.load` made the
    model, of the table that it was trained on. Columns are matched by position if the model knows
    no names, or if the DataFrame has none: its columns are then called 0, 1, 2, ...
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

    def data_config(self) -> dict:
        """The names as an entry of the model's config; empty if the model knows none."""
        return {} if self._columns is None else {"columns": self.columns}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the model of a config, with the names of its columns."""
        config = dict(config)
        columns = config.pop("columns", None)
        model = super().from_config(config, custom_objects=custom_objects)
        model.columns = columns
        return model

    def _check_x(self, name, x):
        return super()._check_x(name, self.by_name(name, x))

    def by_name(self, name: str, x):
        """Rows of a DataFrame as an array in the model's column order; other rows unchanged.

        Args:
          name: name of the argument, for errors.
          x: a DataFrame, or anything else.

        Raises:
          ValueError: if a column of the model is missing, appears twice or does not hold numbers.
        """
        if not _is_frame(x):
            return x
        if self.columns is not None:
            try:
                names = _names(x)
                if names is None and set(self.columns) <= set(map(str, x.columns)):
                    names = list(map(str, x.columns))  # the model calls them 0, 1, 2, too
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
        """Turns `fit`'s DataFrames into arrays; a model that knows no column names learns them.

        Args:
          x: the rows that `fit` was given.
          keywords: the rest; `validation_data` may hold a DataFrame.

        Returns:
          `x` and `keywords`, without DataFrames.
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

    def initialize(self, x, context=None) -> None:
        """The model's `initialize`; matches a DataFrame's columns by name."""
        super().initialize(self.by_name("x", x), context)

    def fit(self, x=None, y=None, **kwargs):
        """`Feeding.fit`; matches a DataFrame's columns by name, and learns the names."""
        x, kwargs = self.learn_columns(x, kwargs)
        return super().fit(x, y, **kwargs)

    def evaluate(self, x=None, y=None, **kwargs):
        """Keras's `evaluate`: the mean loss over rows; matches a DataFrame's columns by name."""
        return super().evaluate(self.by_name("x", x), y, **kwargs)

    def predict(self, x, **kwargs):
        """Keras's `predict`: the log-density `[n]` of rows; matches DataFrame columns by name."""
        return super().predict(self.by_name("x", x), **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """Keras's `train_on_batch`; matches a DataFrame's columns by name."""
        return super().train_on_batch(self.by_name("x", x), *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """Keras's `test_on_batch`; matches a DataFrame's columns by name."""
        return super().test_on_batch(self.by_name("x", x), *args, **kwargs)

    def predict_on_batch(self, x):
        """Keras's `predict_on_batch`; matches a DataFrame's columns by name."""
        return super().predict_on_batch(self.by_name("x", x))


def _is_frame(x) -> bool:
    """Whether `x` is a pandas DataFrame; pandas need not be installed."""
    return all(hasattr(x, name) for name in ("iloc", "columns", "dtypes"))


def _names(x) -> list[str] | None:
    """Names of a DataFrame's columns; None if it was made without names."""
    numbered = list(x.columns) == list(range(x.shape[1]))
    return None if numbered else [str(column) for column in x.columns]
