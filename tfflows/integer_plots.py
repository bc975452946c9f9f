"""Heat maps of probabilities of pairs of integers."""

from __future__ import annotations

import os

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows.plots import save


def heat_maps(
    panels: dict[str, np.ndarray], least, path: str | os.PathLike, title: str | None = None
) -> str:
    """Draws tables of probabilities side by side, with one scale of colours.

    Args:
      panels: by their headings, probabilities `[n1, n2]` of pairs of integers.
      least: the least integers, `[2]`.
      path: the PNG file.
      title: heading of the picture.

    Returns:
      The path.
    """
    figure = Figure(figsize=(4.2 * len(panels), 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    largest = max(float(np.max(values)) for values in panels.values())
    for axes, (name, values) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        low = np.asarray(least) - 0.5
        high = low + values.shape
        axes.imshow(
            values.T,
            origin="lower",
            extent=(low[0], high[0], low[1], high[1]),
            cmap="magma",
            vmin=0,
            vmax=largest,
            interpolation="nearest",
        )
        axes.set(title=name, xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    if title:
        figure.suptitle(title)
    return save(figure, path)
