"""Pictures of a model of images: samples, reconstructions, interpolations."""

from __future__ import annotations

import pathlib

from tfflows import image_plots
from zoo.modalities.data import Data
from zoo.modalities.images import modes

_SAMPLES = 64
_SHOWN = 12  # validation images


def draw(model, data: Data, folder: pathlib.Path) -> list[str]:
    """Draws samples.png and, for a model with latents, two pictures from validation images.

    These are reconstructions.png and interpolations.png.

    Returns:
      The paths.
    """
    paths = [samples(model, folder / "samples.png", model.name)]
    if not model.has_latents:
        return paths
    x, context = (
        v if v is None else v[:_SHOWN] for v in (data.validation, data.validation_context)
    )
    pictures = {"reconstructions": modes.reconstruct(model, x, context)}
    even = len(x) // 2 * 2
    if even:
        ends = None if context is None else context[:even]
        pictures["interpolations"] = modes.interpolate(model, x[:even], ends)
    for name, picture in pictures.items():
        picture.write(folder / f"{name}.png")
        paths.append(str(folder / f"{name}.png"))
    return paths


def samples(model, path: pathlib.Path, title: str) -> str:
    """Draws samples, always the same; a conditional model gets a column for each class.

    Returns:
      The path.
    """
    columns = modes.class_count(model) or 1
    count = _SAMPLES // columns * columns or _SAMPLES  # whole rows, if there is one
    picture = modes.samples(model, count)
    return image_plots.image_grid(picture.images, path, picture.columns, title)
