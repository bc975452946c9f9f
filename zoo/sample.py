"""Draws from a trained model: `python -m zoo.sample --model=NAME --n=1000 --output=FILE`.

The file is a .npy, a .csv, or for one or two dimensions a .png. Row i is a function of the seed and
of `start + i` alone. Models of images write a .png or .npy, and do more than draw: see `--mode` and
`zoo.image_modes`.

Examples:
  python -m zoo.sample --model=nsf_moons --n=1000 --seed=1 --output=rows.csv
  python -m zoo.sample --model=runs/photos --n=64 --temperature=0.7 --output=samples.png
  python -m zoo.sample --model=runs/photos --mode=inpaint --mask=left --output=filled.png
"""

from __future__ import annotations

from absl import flags

from zoo import choices, command

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("model", None, "Name of a zoo model, a work directory or a .keras file.")
    flags.DEFINE_enum("mode", "samples", choices.MODES, "What to do with a model of images.")
    flags.DEFINE_integer(
        "n", None, "Number of draws (of each class in classes); of completions in inpaint."
    )
    flags.DEFINE_integer("seed", 0, "Key of the draws.")
    flags.DEFINE_integer("start", 0, "Number of the first draw.")
    flags.DEFINE_float("temperature", 1.0, "Scale of a normal or logistic base.")
    flags.DEFINE_integer("class", None, "The class to draw; by default all in turn.")
    flags.DEFINE_list("images", None, "Which test images, by index: 3,7.")
    flags.DEFINE_integer("steps", None, "Images in an interpolation or along an angle; gradients.")
    flags.DEFINE_enum("mask", "bottom", choices.MASKS, "What inpaint hides.")
    flags.DEFINE_enum("method", "ascent", choices.METHODS, "How inpaint completes.")
    flags.DEFINE_string("data_path", None, "The images, where not where the config says.")
    flags.DEFINE_string("data_dir", None, "Folder of TFDS sets, likewise.")
    flags.DEFINE_string("output", None, "File: .npy, .csv or .png.")
    command.begin("zoo.sample", __doc__, ("model", "output"))

import csv
import os
import pathlib

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows import plots, training
from zoo import image_modes, registry

_BATCH = 8192
_KINDS = (".csv", ".npy", ".png")

# The flags that a mode reads, and how many images it takes by default.
_DRAWS = {"n", "seed", "start", "temperature"}
_REAL = {"images", "data_path", "data_dir"}
_FLAGS = {
    "samples": _DRAWS | {"class"},
    "classes": _DRAWS,
    "interpolate": _REAL | {"steps"},
    "manifold": _REAL | {"steps"},
    "reconstruct": _REAL,
    "inpaint": _REAL | {"n", "seed", "steps", "mask", "method"},
}
_IMAGES = {"interpolate": 8, "manifold": 4, "reconstruct": 16, "inpaint": 8}


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
        # Whole numbers as such: a column of integers is one again.
        whole = (np.abs(rows) < 2**53) & (rows == np.rint(rows))
        formats = ["%d" if column.all() else "%s" for column in whole.T]
        np.savetxt(file, rows, fmt=formats, delimiter=",")


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
    if image_modes.is_of_images(flow):
        image_modes.check_path(values.output)
        picture = _picture(flow)
        picture.write(values.output)
        if picture.note:
            print(picture.note)
        print(f"{len(picture.images)} images, {values.mode} of {flow.name}: {values.output}")
        return
    if values.mode != "samples":
        raise ValueError(f"mode: {values.mode} is for models of images, {flow.name} is not one")
    _check_flags("samples of rows", _DRAWS)
    check_path(values.output, flow.event_shape[0])
    n = 1000 if values.n is None else values.n
    rows = sample(flow, n, values.seed, values.start, values.temperature)
    write(rows, values.output, flow.columns or _facts(values.model).get("columns"), flow)
    print(f"{len(rows)} draws of {flow.name} (seed {values.seed}): {values.output}")


def _check_flags(mode: str, read: set[str]) -> None:
    """Raises a ValueError if a flag is given that the mode does not read."""
    for name in sorted(set().union(*_FLAGS.values()) - read):
        if flags.FLAGS[name].present:
            raise ValueError(f"{name}: {mode} takes no such flag")


def _picture(flow) -> image_modes.Picture:
    """What a mode makes of a model of images, as the flags say."""
    values, mode = flags.FLAGS, flags.FLAGS.mode
    _check_flags(mode, _FLAGS[mode])
    given = {"n": values.n, "steps": values.steps}
    given = {name: value for name, value in given.items() if value is not None}
    if given.get("n", 1) < 1:
        raise ValueError(f"n: expected at least 1, got {values.n}")
    draws = {"seed": values.seed, "start": values.start, "temperature": values.temperature}
    if mode == "samples":
        return image_modes.samples(flow, **given, **draws, label=values["class"].value)
    if mode == "classes":
        names = _facts(values.model).get("class_names")
        return image_modes.classes(flow, **given, **draws, names=names)
    given_images = flags.FLAGS["images"].present
    indices = _indices(values.images) if given_images else _IMAGES[mode]
    x, context = image_modes.real_images(values.model, indices, values.data_path, values.data_dir)
    if mode == "inpaint":
        given["completions"] = given.pop("n", 3)
        names = [str(i) for i in (indices if given_images else range(len(x)))]
        given |= {"mask": values.mask, "method": values.method, "seed": values.seed}
        return image_modes.inpaint(flow, x, context, **given, names=names)
    return getattr(image_modes, mode)(flow, x, context, **given)


def _facts(model: str) -> dict:
    """What the card of a model says of its data; nothing for a .keras file."""
    return {} if str(model).endswith(".keras") else registry.card(model)["data"]


def _indices(texts: list[str]) -> list[int]:
    for text in texts or [""]:
        if not text.isdecimal():
            raise ValueError(f"images: expected indices such as 3,7, got {text!r}")
    return [int(text) for text in texts]


if __name__ == "__main__":
    command.run(main)
