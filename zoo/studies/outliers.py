"""How well scores detect images of another set: `python -m zoo.studies.outliers --model=NAME`.

A score has to separate images of another set from test images of the model's own set. Raw
likelihood is known to fail (Nalisnick et al., Do Deep Generative Models Know What They Don't Know?,
2019, https://arxiv.org/abs/1810.09136): a model of clothes finds digits likelier than clothes. So
the test has two more scores:

* typicality (Nalisnick et al., 2019, https://arxiv.org/abs/1906.02994): how far the bits/dim of an
  image are from the mean over validation images, in either direction;
* the likelihood ratio to a general compressor (Serra et al., Input complexity and
  out-of-distribution detection, 2020, https://arxiv.org/abs/1909.11480): bits of the model minus
  bits of the PNG file.

Prints the area under the ROC curve of each score (1/2 is chance), and writes a histogram of each.

Examples:
  python -m zoo.studies.outliers --model=glow_fashion_mnist --data_dir=DIR --output=scores
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("model", None, "Name of a zoo model of images, or a work directory.")
    flags.DEFINE_string("other", "mnist", "TFDS data set of the other images.")
    flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets.")
    flags.DEFINE_integer("rows", 2000, "Number of images to score from each set, from the first.")
    flags.DEFINE_string("output", None, "Folder for the table and the picture.")
    cli.define_samples()
    cli.begin("zoo.studies.outliers", __doc__, ("model", "output"))

import io
import math
import pathlib

import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows import batches, files
from tfflows.data import images
from zoo import outputs, registry


def png_bits(x: np.ndarray) -> np.ndarray:
    """Bits per dimension of each image `uint8 [n, H, W, C]` as a PNG file."""

    def size(image):
        buffer = io.BytesIO()
        picture = PIL.Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        picture.save(buffer, "png", optimize=True)
        return 8.0 * buffer.tell()

    return np.array([size(image) for image in x]) / math.prod(x.shape[1:])


def scores(model, x: np.ndarray, mean_bits: float, context: np.ndarray | None = None) -> dict:
    """The scores of images, each higher if an image is less like the model's own.

    Args:
      model: a flow of images.
      x: `uint8 [n, H, W, C]`.
      mean_bits: mean bits/dim of the model over its own images.
      context: classes, for a conditional model.

    Returns:
      Each score by name, `[n]`, in bits/dim.
    """
    bits = -batches.log_prob(model, x, context) / (math.prod(x.shape[1:]) * math.log(2.0))
    return {
        "likelihood": bits,
        "typicality": np.abs(bits - mean_bits),
        "likelihood ratio to PNG": bits - png_bits(model.seen(x)),
    }


def auroc(own: np.ndarray, other: np.ndarray) -> float:
    """The probability that a score of `other` is above one of `own`, ties counted half."""
    ranks = np.concatenate([own, other])
    order = np.argsort(ranks, kind="stable")
    ordered = ranks[order]
    first = np.searchsorted(ordered, ranks, side="left")
    last = np.searchsorted(ordered, ranks, side="right")
    rank = (first + last + 1) / 2.0
    m, n = len(own), len(other)
    return float((rank[m:].sum() - n * (n + 1) / 2) / (m * n))


def standard_error(area: float, m: int, n: int) -> float:
    """Standard error of an area under the ROC curve, `m` and `n` images (Hanley & McNeil, 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (m - 1) * (q2 - area**2) + (n - 1) * (q1 - area**2)
    return math.sqrt(max(variance, 0.0) / (m * n))


def table(own: dict, other: dict, names: tuple[str, str]) -> str:
    """The scores as a Markdown table."""
    lines = [
        f"| score | mean over {names[0]} | mean over {names[1]} | area under ROC |",
        "|---|---|---|---|",
    ]
    for name in own:
        area = auroc(own[name], other[name])
        error = 2 * standard_error(area, len(own[name]), len(other[name]))
        lines.append(
            f"| {name} | {own[name].mean():.3f} | {other[name].mean():.3f} | "
            f"{area:.3f} ± {error:.3f} |"
        )
    return "\n".join(lines)


def picture(own: dict, other: dict, names: tuple[str, str], path: pathlib.Path) -> None:
    """Draws a histogram of each score."""
    figure = Figure(figsize=(4 * len(own), 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, name in zip(figure.subplots(1, len(own)), own, strict=True):
        both = np.concatenate([own[name], other[name]])
        bins = np.linspace(*np.quantile(both, [0.002, 0.998]), 60)
        for label, values in zip(names, (own[name], other[name]), strict=True):
            axes.hist(values, bins, alpha=0.55, density=True, label=label)
        area = auroc(own[name], other[name])
        axes.set(title=f"{name}: area {area:.2f}", xlabel="bits/dim", yticks=[])
    figure.axes[0].legend()
    files.write(path, lambda temporary: figure.savefig(temporary, dpi=120))


def main() -> None:
    """Scores the two sets of images."""
    values = flags.FLAGS
    if values.rows < 2:
        raise ValueError(f"rows: expected at least 2, got {values.rows}")
    outputs.check_folder("output", values.output, ("table.md", "histograms.png"))
    model = registry.load(values.model)
    if model.modality != "images":
        raise ValueError(f"model: expected a model of images, got {values.model}")
    if model.context_shape is not None:
        raise ValueError("model: expected a model without classes, got a class-conditional one")
    cli.set_samples(model, values.samples)
    own = registry.trained_config(values.model)["data"]
    data_dir = values.data_dir or own["data_dir"]
    if not data_dir:
        raise ValueError(f"data_dir: {values.other} needs --data_dir=FOLDER with TFDS data sets")
    data = registry.data_of(values.model, data_dir=data_dir)
    height, width, channels = model.event_shape
    other = images.tfds_images(values.other, data_dir, "test", (height, width), channels).x[
        : values.rows
    ]
    validation = data.validation[: values.rows]
    mean = float(scores(model, validation, 0.0)["likelihood"].mean())
    found = [scores(model, x, mean) for x in (data.test()[: values.rows], other)]
    names = (own["name"] or "own", values.other)
    output = pathlib.Path(values.output)
    output.mkdir(parents=True, exist_ok=True)
    text = table(*found, names)
    files.write(output / "table.md", lambda path: path.write_text(text + "\n"))
    picture(*found, names, output / "histograms.png")
    print(text)


if __name__ == "__main__":
    cli.run(main)
