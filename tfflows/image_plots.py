"""Grids of images that show each pixel as it is."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows.plots import DPI, save

_SIZE = 900  # approximate length of a grid's longer side, in pixels
_GAP = 4


def image_grid(
    images: np.ndarray,
    path: str | os.PathLike,
    columns: int | None = None,
    title: str | None = None,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
) -> str:
    """Draws a grid of images, each image pixel as a square of whole pixels.

    Args:
      images: uint8 `[n, H, W, C]`, C 1 or 3.
      path: the PNG file.
      columns: images in a row; by default about the number of rows.
      title: heading of the picture.
      row_labels, column_labels: labels of the first rows and columns.

    Returns:
      The path.

    Raises:
      ValueError: if the images have another shape or dtype.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise ValueError(f"images: expected shape [n, H, W, 1 or 3], got {list(images.shape)}")
    if images.dtype != np.uint8:
        raise ValueError(f"images: expected uint8, got {images.dtype}")
    n, height, width, channels = images.shape
    columns = min(n, columns or math.ceil(math.sqrt(n)))
    rows = -(-n // columns)
    zoom = max(1, round(_SIZE / max(columns * width, rows * height)))
    tiles = np.full([rows * columns, zoom * height + _GAP, zoom * width + _GAP, 3], 255, np.uint8)
    tiles[:n, :-_GAP, :-_GAP] = images.repeat(zoom, axis=1).repeat(zoom, axis=2)
    across = [rows, columns, *tiles.shape[1:]]
    grid = np.moveaxis(tiles.reshape(across), 2, 1).reshape(rows * across[2], -1, 3)[:-_GAP, :-_GAP]

    figure = Figure(figsize=(grid.shape[1] / DPI, grid.shape[0] / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(grid, interpolation="nearest", aspect="auto")
    ticks = [(np.arange(k) + 0.5) * across[i] - 0.5 for k, i in ((rows, 2), (columns, 3))]
    axes.set_yticks(ticks[0][: len(row_labels)], row_labels)
    axes.set_xticks(ticks[1][: len(column_labels)], column_labels)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title)
    return save(figure, path)
