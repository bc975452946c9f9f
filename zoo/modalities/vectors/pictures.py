"""Pictures of densities of one and two dimensions."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import numpy as np

from tfflows import plots
from zoo.modalities.data import Data


def progress(model, data: Data) -> Callable[[pathlib.Path, int], None] | None:
    """A function that draws the density at a step; `None` above two dimensions."""
    if data.dim > 2:
        return None
    rows = data.validation

    def draw(path, step):
        title = f"{model.name}, step {step}"
        if data.dim == 1:
            plots.density_1d(model, rows, path, data.bounds, title)
        else:
            bounds = data.bounds or (rows.min(axis=0), rows.max(axis=0))
            plots.density_2d(model, path, bounds, title, resolution=120)

    return draw


def draw(model, data: Data, folder: pathlib.Path) -> list[str]:
    """Draws a 1-D or 2-D model: density.png, or overview.png and latent_grid.png.

    Returns:
      The paths; none for other models.
    """
    if data.dim == 1:
        path = folder / "density.png"
        return [plots.density_1d(model, data.validation, path, data.bounds, model.name)]
    if data.dim > 2:
        return []
    rows = np.asarray(model.sample(4000, seed=1)) if data.target else data.validation
    first = "draws, by the colour of their latents" if data.target else "data"
    bounds = None if data.target else data.bounds
    path = folder / "overview.png"
    overview = plots.overview_2d(model, rows, path, bounds, model.name, data_title=first)
    if not model.has_latents:
        return [overview]
    latents = (-3.0, 3.0) if model.supports_temperature else (0.001, 0.999)
    return [overview, plots.latent_grid(model, folder / "latent_grid.png", latents)]
