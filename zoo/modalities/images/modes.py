"""The modes of `python -m zoo.sample` for a trained model of images.

Each mode returns a `Picture`, which `main` of `zoo.sample` writes.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from tfflows import batches, bijectors, files, image_plots, sampling
from tfflows.bijectors.masks import SIDES
from zoo import outputs
from zoo.modalities.data import Data

MASKS = (*SIDES, "center", "checkerboard", "random")
_RANDOM_SHARE = 0.8  # share of the pixels that the random mask hides
_GREY = 128


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """Images in rows and columns.

    Attributes:
      images: uint8 `[n, H, W, C]`, row by row.
      columns: images in a row; `None` for about as many columns as rows.
      row_labels, column_labels: labels beside the rows and above the columns.
      note: remarks, one per line; empty for none.
      title: a description in words.
    """

    images: np.ndarray
    columns: int | None = None
    row_labels: Sequence[str] = ()
    column_labels: Sequence[str] = ()
    note: str = ""
    title: str = ""

    def write(self, path: str | os.PathLike) -> None:
        """Writes a .png, or the images as a .npy; see `check_path`."""
        if check_path(path) == ".npy":
            files.write(path, lambda temporary: np.save(temporary, self.images))
        else:
            labels = {"row_labels": self.row_labels, "column_labels": self.column_labels}
            image_plots.image_grid(self.images, path, self.columns, **labels)


def check_path(path: str | os.PathLike) -> str:
    """Returns the suffix of a picture's file; raises a ValueError if it cannot be written."""
    kind = pathlib.Path(path).suffix.lower()
    if kind not in (".png", ".npy"):
        raise ValueError(
            f"output: expected a file ending in .png or .npy for images, got {str(path)!r}"
        )
    outputs.check_output(path)
    return kind


def samples(
    flow,
    n: int = 64,
    seed: int = 0,
    start: int = 0,
    temperature: float = 1.0,
    label: int | None = None,
) -> Picture:
    """Draws from a model; a class-conditional model draws all classes in turn or one class.

    Args:
      flow: the model.
      n: number of draws.
      seed: key of the draws.
      start: number of the first draw.
      temperature: scale of a normal or logistic base.
      label: the class; by default draw i has class i modulo the number of classes.

    Raises:
      ValueError: for a class that the model does not have, or a temperature that its base does not
        support.
    """
    labels, columns = None, None
    count = class_count(flow)
    if label is not None and not count:
        raise ValueError(f"class: {flow.name} is not class-conditional")
    if label is not None and not 0 <= label < count:
        raise ValueError(f"class: expected 0 to {count - 1}, got {label}")
    if count:
        labels = (start + np.arange(n)) % count if label is None else np.full(n, label)
        columns = count if label is None and n > count else None
    return Picture(_draw(flow, n, seed, start, temperature, labels), columns)


def classes(
    flow,
    n: int = 10,
    seed: int = 0,
    start: int = 0,
    temperature: float = 1.0,
    names: Sequence[str] | None = None,
) -> Picture:
    """A row of `n` draws for each class, from the same latents in each row.

    Args:
      flow, n, seed, start, temperature: as for `samples`.
      names: names of the classes.

    Raises:
      ValueError: if the model is not class-conditional.
    """
    count = class_count(flow)
    if not count:
        raise ValueError(f"mode: classes needs a class-conditional model, got {flow.name}")
    rows = [_draw(flow, n, seed, start, temperature, np.full(n, k)) for k in range(count)]
    return Picture(np.concatenate(rows), n, names or [str(k) for k in range(count)])


def interpolate(flow, x, context=None, steps: int = 9) -> Picture:
    """A row for each pair of images: the straight line between their latents, the ends included.

    Args:
      flow: the model.
      x: uint8 `[2 m, *event]`: the first and second image are a pair, and so on.
      context: `[2 m, classes]` for a class-conditional model.
      steps: images in a row.

    Raises:
      ValueError: for an odd number of images, or none.
    """
    if len(x) < 2 or len(x) % 2:
        raise ValueError(f"images: interpolate needs pairs of images, got {len(x)}")
    rows = []
    for i in range(0, len(x), 2):
        ends = None if context is None else context[i : i + 2]
        rows.append(flow.interpolate(x[i], x[i + 1], steps, ends).numpy())
    return Picture(np.concatenate(rows), steps)


def manifold(flow, x, context=None, steps: int = 8) -> Picture:
    """The two-angle manifold through four images `[4, *event]`; see `Flow.manifold`.

    Raises:
      ValueError: for another number of images.
    """
    if len(x) != 4:
        raise ValueError(f"images: manifold needs four images, got {len(x)}")
    points = flow.manifold(x, steps, context).numpy()
    return Picture(points.reshape(-1, *points.shape[2:]), steps)


def reconstruct(flow, x, context=None) -> Picture:
    """Images `[m, *event]` above their reconstructions from their latents."""
    seen = flow.seen(x)
    decoded = flow.decode(flow.encode(x, context), context).numpy()
    note = f"{np.sum(seen != decoded)} of {seen.size} numbers differ"
    return Picture(np.concatenate([seen, decoded]), len(x), ("images", "reconstructed"), note=note)


def inpaint(
    flow,
    x,
    context=None,
    mask: str = "bottom",
    method: str = "ascent",
    completions: int = 3,
    steps: int = 1000,
    seed: int = 0,
    names: Sequence[str] = (),
) -> Picture:
    """A column for each image: the image, the image with a part hidden, and its completions.

    Args:
      flow: the model.
      x: uint8 `[m, *event]`.
      context: `[m, classes]` for a class-conditional model.
      mask: what is hidden; see `hidden_pixels`.
      method, completions, steps: see `tfflows.sampling.inpaint`.
      seed: key of the noise and of the random mask.
      names: names of the images.
    """
    hidden = hidden_pixels(mask, flow.event_shape, seed)
    result = sampling.inpaint(flow, x, hidden, method, completions, steps, seed, context)
    seen = flow.seen(x)
    rows = [seen, np.where(hidden, np.uint8(_GREY), seen), *np.swapaxes(result.x, 0, 1)]
    labels = ["images", "hidden", *(f"completion {i + 1}" for i in range(completions))]
    names = names or [str(i) for i in range(len(x))]
    lines = [
        f"image {name}: log-density {before.mean():.1f} nats before, {after.mean():.1f} after"
        + (f", acceptance {accepted.mean():.2f}" if method == "langevin" else "")
        for name, before, after, accepted in zip(
            names, result.start_log_prob, result.log_prob, result.acceptance, strict=True
        )
    ]
    return Picture(np.concatenate(rows), len(x), labels, names, "\n".join(lines))


def hidden_pixels(kind: str, shape, seed: int = 0) -> np.ndarray:
    """The pixels that a mask hides, as booleans `[H, W, C]`.

    Args:
      kind: `"top"`, `"bottom"`, `"left"`, `"right"`: that half; `"center"`: the middle, half as
        high and wide; `"checkerboard"`: every other pixel; `"random"`: 80 % of the pixels.
      shape: `(H, W, C)`.
      seed: seed of the random mask.

    Raises:
      ValueError: for another kind.
    """
    height, width, channels = shape
    if kind in SIDES:
        return bijectors.half_mask(shape, kind)
    if kind == "checkerboard":
        return bijectors.checkerboard_mask(shape)
    plane = np.zeros([height, width], bool)
    if kind == "center":
        top, left = height // 4, width // 4
        plane[top : top + (height + 1) // 2, left : left + (width + 1) // 2] = True
    elif kind == "random":
        order = np.random.default_rng(seed % 2**64).permutation(plane.size)
        plane.flat[order[: round(_RANDOM_SHARE * plane.size)]] = True
    else:
        raise ValueError(f"mask: expected one of {', '.join(MASKS)}, got {kind!r}")
    return np.repeat(plane[..., None], channels, axis=-1)


def real_images(data: Data, indices: Sequence[int] | int) -> tuple[np.ndarray, np.ndarray | None]:
    """Test images, and their contexts, if the model takes any.

    Args:
      data: the data of a trained model.
      indices: indices of the images; or a number, for that many from the start. If the data have
        fewer, as many as there are, in pairs.

    Raises:
      ValueError: if the data have no image with such an index.
    """
    x, context = data.test(), data.test_context()
    if isinstance(indices, int):
        indices = range(min(indices, max(1, len(x) // 2 * 2)))
    for index in indices:
        if not 0 <= index < len(x):
            raise ValueError(f"images: expected indices from 0 to {len(x) - 1}, got {index}")
    rows = np.array(indices, int)
    return x[rows], None if context is None else context[rows]


def class_count(flow) -> int:
    """Number of classes; 0 for a model that is not conditional."""
    return 0 if flow.context_shape is None else flow.context_shape[0]


def _draw(flow, n, seed, start, temperature, labels=None) -> np.ndarray:
    context = None if labels is None else np.eye(class_count(flow), dtype=np.float32)[labels]
    return batches.sample(flow, n, seed, start, temperature, context)
