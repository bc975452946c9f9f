"""Draws from a trained model: `python -m zoo.sample --model=NAME --n=1000 --output=FILE`.

The file is a .npy, a .csv, or for one or two dimensions a .png. Row i is a function of the seed and
of `start + i` alone.
"""

from __future__ import annotations

import csv
import os
import pathlib

import numpy as np
from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows import plots, training
from zoo import command, registry

_BATCH = 8192
_KINDS = (".csv", ".npy", ".png")


def sample(flow, n: int, seed: int = 0, start: int = 0, temperature: float = 1.0) -> np.ndarray:
    """Draws `n` rows `[n, *event]` in batches, none of which matters to the draws."""
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    parts = [
        flow.sample(min(_BATCH, n - i), seed, start + i, temperature).numpy()
        for i in range(0, n, _BATCH)
    ]
    return np.concatenate(parts)


def write(
    rows: np.ndarray, path: str | os.PathLike, columns: list[str] | None = None, flow=None
) -> None:
    """Writes rows `[n, d]` to a .npy, .csv or .png file, atomically.

    Args:
      rows: the rows.
      path: the file.
      columns: names of a .csv's columns; x1, x2, ... by default.
      flow: a .png of a 1-D model shows its density over the histogram.

    Raises:
      ValueError: for another kind of file, or a picture of more than two dimensions.
    """
    kind = check_path(path, rows.shape[1])
    if kind == ".npy":
        training.write_file(path, lambda temporary: np.save(temporary, rows))
    elif kind == ".csv":
        names = columns or [f"x{i + 1}" for i in range(rows.shape[1])]
        training.write_file(path, lambda temporary: _write_csv(rows, names, temporary))
    elif rows.shape[1] == 1:
        plots.density_1d(flow, rows, path, title="draws")
    else:
        training.write_file(path, lambda temporary: _scatter(rows, temporary))


def check_path(path: str | os.PathLike, dim: int) -> str:
    """The suffix of a file to write draws to, or a ValueError if they cannot be written there."""
    path = pathlib.Path(path)
    kind = path.suffix.lower()
    if kind not in _KINDS:
        raise ValueError(f"output: expected a file of {', '.join(_KINDS)}, got {str(path)!r}")
    if kind == ".png" and dim > 2:
        raise ValueError(f"output: a picture shows one or two dimensions, the model has {dim}")
    command.check_output(path)
    return kind


def _write_csv(rows: np.ndarray, names: list[str], path: pathlib.Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow(names)
        np.savetxt(file, rows, fmt="%.9g", delimiter=",")


def _scatter(rows: np.ndarray, path: pathlib.Path) -> None:
    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.scatter(rows[:, 0], rows[:, 1], s=4, alpha=0.5, linewidths=0)
    axes.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title=f"{len(rows)} draws")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Draws as the flags say."""
    values = flags.FLAGS
    flow = registry.load(values.model)
    check_path(values.output, flow.event_shape[0])
    rows = sample(flow, values.n, values.seed, values.start, values.temperature)
    is_file = str(values.model).endswith(".keras")
    columns = None if is_file else registry.card(values.model)["data"].get("columns")
    write(rows, values.output, columns, flow)
    print(f"{len(rows)} draws of {flow.name} (seed {values.seed}): {values.output}")


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "Name of a zoo model, a work directory or a .keras file.")
    flags.DEFINE_integer("n", 1000, "Number of draws.")
    flags.DEFINE_integer("seed", 0, "Key of the draws.")
    flags.DEFINE_integer("start", 0, "Number of the first draw.")
    flags.DEFINE_float("temperature", 1.0, "Scale of a normal base.")
    flags.DEFINE_string("output", None, "File: .npy, .csv or .png.")
    flags.mark_flags_as_required(["model", "output"])
    command.run(main)
