"""Files of rows."""

from __future__ import annotations

import csv
import dataclasses
import os
import pathlib

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows import files, plots
from zoo import outputs

_KINDS = (".csv", ".npy", ".png")


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """Draws from a model.

    Attributes:
      x: rows `[n, d]`.
      columns: names of a .csv's columns; x1, x2, ... if `None`.
      model: the model; a .png of a 1-D model shows its density over the histogram.
      seed: seed of the draws.
    """

    x: np.ndarray
    columns: list[str] | None
    model: object
    seed: int
    note = ""

    @property
    def title(self) -> str:
        """A description in words."""
        return f"{len(self.x)} draws of {self.model.name} (seed {self.seed})"

    def write(self, path: str | os.PathLike) -> None:
        """Writes a .npy, .csv or .png file; see `write`."""
        write(self.x, path, self.columns, self.model)


def write(
    x: np.ndarray, path: str | os.PathLike, columns: list[str] | None = None, model=None
) -> None:
    """Writes rows `[n, d]` to a .npy, .csv or .png file, atomically.

    Args:
      x: the rows.
      path: the file.
      columns: names of a .csv's columns; x1, x2, ... by default.
      model: the model; a .png of a 1-D model shows its density over the histogram.

    Raises:
      ValueError: for another kind of file, or a picture of more than two dimensions.
    """
    kind = check_path(path, x.shape[1])
    if kind == ".npy":
        files.write(path, lambda temporary: np.save(temporary, x))
    elif kind == ".csv":
        names = columns or [f"x{i + 1}" for i in range(x.shape[1])]
        files.write(path, lambda temporary: _write_csv(x, names, temporary))
    elif x.shape[1] == 1:
        plots.density_1d(model, x, path, title="draws")
    else:
        files.write(path, lambda temporary: _scatter(x, temporary))


def check_path(path: str | os.PathLike, dim: int) -> str:
    """Returns the suffix of a file for draws; raises a ValueError if they cannot go there."""
    path = pathlib.Path(path)
    kind = path.suffix.lower()
    if kind not in _KINDS:
        raise ValueError(
            f"output: expected a file ending in {', '.join(_KINDS)}, got {str(path)!r}"
        )
    if kind == ".png" and dim > 2:
        raise ValueError(
            f"output: a picture shows one or two dimensions, but the model has {dim}; write .npy "
            "or .csv"
        )
    outputs.check_output(path)
    return kind


def _write_csv(x: np.ndarray, names: list[str], path: pathlib.Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow(names)
        # Whole numbers get no decimal point, so that a column of integers stays one.
        whole = (np.abs(x) < 2**53) & (x == np.rint(x))
        formats = ["%d" if column.all() else "%s" for column in whole.T]
        np.savetxt(file, x, fmt=formats, delimiter=",")


def _scatter(x: np.ndarray, path: pathlib.Path) -> None:
    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.scatter(x[:, 0], x[:, 1], s=4, alpha=0.5, linewidths=0)
    axes.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title=f"{len(x)} draws")
    figure.savefig(path, dpi=120)
