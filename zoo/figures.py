"""Pictures of a model as it trains and when it is trained."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable

import numpy as np

from tfflows import image_plots, plots, training
from zoo import datasets, image_modes

# How the figures that a loss is reported as are printed.
TEXTS = {
    "bits_per_dim": "{:.4f} bits/dim",
    "nats_standardized": "{:.4f} of standardised rows",
}
_SAMPLES = 64
_SHOWN = 12  # validation images


def of_loss(flow, data: datasets.Data) -> list[training.Figure]:
    """What a mean loss in nats is reported as besides: bits/dim, or nats of standardised rows."""
    if hasattr(flow, "bits_per_dim"):
        name, of = "bits_per_dim", lambda loss: loss / (data.dim * math.log(2.0))
    elif data.mean is not None and flow.standardization_log_det:
        shift = flow.standardization_log_det
        name, of = "nats_standardized", lambda loss: loss - shift
    else:
        return []
    return [training.Figure(name, TEXTS[name], of)]


def progress(flow, data: datasets.Data) -> Callable[[pathlib.Path, int], None] | None:
    """Draws a model at a step: the density of a 1-D or 2-D model, samples of one of images.

    `None` for other models.
    """
    if image_modes.is_of_images(flow):
        return lambda path, step: samples(flow, path, f"{flow.name}, step {step}")
    if data.dim > 2:
        return None
    rows = _rows(data)

    def draw(path, step):
        title = f"{flow.name}, step {step}"
        if data.dim == 1:
            plots.density_1d(flow, rows, path, data.bounds, title)
        else:
            bounds = data.bounds or _bounds(rows)
            plots.density_2d(flow, path, bounds, title, resolution=120)

    return draw


def final(flow, data: datasets.Data, workdir: pathlib.Path) -> list[str]:
    """Draws the training curve and the model: see `of_density` and `of_images`.

    Returns:
      The paths.
    """
    folder = workdir / "pictures"
    curve = plots.training_curve(workdir / "metrics.jsonl", folder / "training.png", flow.name)
    draw = of_images if image_modes.is_of_images(flow) else of_density
    return [curve, *draw(flow, data, folder)]


def of_images(flow, data: datasets.Data, folder: pathlib.Path) -> list[str]:
    """Draws a model of images: samples.png, reconstructions.png, interpolations.png.

    The last two are of validation images.

    Returns:
      The paths.
    """
    x, context = (
        v if v is None else v[:_SHOWN] for v in (data.validation, data.validation_context)
    )
    pictures = {"reconstructions": image_modes.reconstruct(flow, x, context)}
    even = len(x) // 2 * 2
    if even:
        ends = None if context is None else context[:even]
        pictures["interpolations"] = image_modes.interpolate(flow, x[:even], ends)
    paths = [samples(flow, folder / "samples.png", flow.name)]
    for name, picture in pictures.items():
        picture.write(folder / f"{name}.png")
        paths.append(str(folder / f"{name}.png"))
    return paths


def samples(flow, path: pathlib.Path, title: str) -> str:
    """Draws samples of a model of images, always the same; of a conditional one a column a class.

    Returns:
      The path.
    """
    columns = image_modes.class_count(flow) or 1
    count = _SAMPLES // columns * columns or _SAMPLES  # whole rows, if there is one
    picture = image_modes.samples(flow, count)
    return image_plots.image_grid(picture.images, path, picture.columns, title)


def of_density(flow, data: datasets.Data, folder: pathlib.Path) -> list[str]:
    """Draws a 1-D or 2-D model: density.png, or overview.png and latent_grid.png.

    Returns:
      The paths; none for other models.
    """
    if data.dim == 1:
        path = folder / "density.png"
        return [plots.density_1d(flow, _rows(data), path, data.bounds, flow.name)]
    if data.dim > 2:
        return []
    rows = np.asarray(flow.sample(4000, seed=1)) if data.target else _rows(data)
    first = "draws, by the colour of their latents" if data.target else "data"
    bounds = None if data.target else data.bounds
    path = folder / "overview.png"
    overview = plots.overview_2d(flow, rows, path, bounds, flow.name, data_title=first)
    if not hasattr(flow, "decode"):  # a density without latents
        return [overview]
    latents = (-3.0, 3.0) if flow.supports_temperature else (0.001, 0.999)
    return [overview, plots.latent_grid(flow, folder / "latent_grid.png", latents)]


def _rows(data: datasets.Data) -> np.ndarray:
    return data.validation


def _bounds(rows: np.ndarray):
    return rows.min(axis=0), rows.max(axis=0)
