"""Two comparisons of image flows: `python -m zoo.studies.images --study=partition --output=DIR`.

`partition`: affine couplings over a checkerboard and channels, against couplings over the top,
bottom, left and right halves of the image. `flowpp`: Flow++, and Flow++ without self-attention,
with affine couplings, and with uniform dequantization; widths are scaled as in the paper's
ablation, so that the numbers of parameters are close. Its images keep 3 bits: at 8 bits, a small
budget is over before the gain from each part shows.

Each variant is trained from several seeds on the same small budget, and tested on the same images.
A second start resumes from the folder. Prints a table in bits/dim, with two standard errors over
the seeds, and writes it to `table.md`, with a picture of the validation curves.

Examples:
  python -m zoo.studies.images --study=partition --data_dir=DIR --output=runs/partition
"""

from __future__ import annotations

from absl import flags

from zoo import choices, cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_enum("study", None, choices.STUDIES, "Comparison to run.")
    flags.DEFINE_string("output", None, "Folder for the runs, the table and the picture.")
    flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets.")
    flags.DEFINE_string("data_name", None, "TFDS data set; the study's own by default.")
    flags.DEFINE_integer(
        "channels", None, "Number of channels, 1 or 3; the study's own by default."
    )
    flags.DEFINE_integer("steps", None, "Steps of each training; the study's own by default.")
    flags.DEFINE_integer("seeds", 3, "Number of seeds to train each variant from.")
    flags.DEFINE_integer("rows", 2000, "Number of test images to score, from the first.")
    cli.define_samples()
    cli.begin("zoo.studies.images", __doc__, ("study", "output", "data_dir"))

import dataclasses
import itertools
import json
import math
import pathlib

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from tfflows import files, training
from tfflows.models.flows.images import partitioned
from zoo import outputs, registry
from zoo.configs import default
from zoo.evaluate import evaluate
from zoo.train import check_same, stored_values, train


@dataclasses.dataclass(frozen=True)
class Study:
    """A comparison.

    Attributes:
      title: title of the picture.
      family: family of all variants.
      common: arguments of the model that all variants share.
      variants: name of each variant and the arguments of its own, the expected best first.
      data: entries of the config's `data`: the TFDS set and its channels.
      size: images are resized to `size` by `size`.
      steps: steps of each training.
      learning_rate: the peak learning rate.
    """

    title: str
    family: str
    common: dict
    variants: dict[str, dict]
    data: dict
    size: int
    steps: int
    learning_rate: float


_FLOWPP = {
    "couplings": (2, 1, 2),
    "blocks": 2,
    "heads": 4,
    "components": 8,
    "dropout": 0.0,
    "bits": 3,
    "dequantization": {"layers": 2, "blocks": 1, "width": 24},
}
STUDIES = {
    "partition": Study(
        title="Which halves a coupling keeps",
        family="PartitionedRealNVP",
        common={"width": 16, "blocks": 2, "margin": 0.002},
        variants={
            "checkerboard and channels": {"partitions": partitioned.CHECKERBOARD_AND_CHANNELS},
            "top, bottom, left, right": {"partitions": partitioned.SIDES_TWICE},
        },
        data={"name": "mnist", "channels": 1},
        size=28,
        steps=1500,
        learning_rate=2e-3,
    ),
    "flowpp": Study(
        title="What Flow++ gains by its parts",
        family="FlowPlusPlus",
        common=_FLOWPP,
        variants={
            "Flow++": {"width": 24},
            "no self-attention": {"width": 24, "heads": 0},
            "affine couplings": {"width": 28, "coupling": "affine"},
            "uniform dequantization": {"width": 28, "dequantization": {"kind": "uniform"}},
        },
        data={"name": "cifar10", "channels": 3},
        size=16,
        steps=1000,
        learning_rate=2e-3,
    ),
}


def config(study: str, variant: str, seed: int, steps: int, data: dict) -> ConfigDict:
    """The config of one training."""
    chosen = STUDIES[study]
    return default.get_config(
        name=f"{study}_{list(chosen.variants).index(variant)}_{seed}",
        summary=f"{chosen.title}: {variant}.",
        family=chosen.family,
        model=chosen.common | chosen.variants[variant],
        data={"source": "tfds", "height": chosen.size, "width": chosen.size} | chosen.data | data,
        train={
            "steps": steps,
            "batch_size": 16,  # on a small budget, more steps help more than larger batches
            "learning_rate": chosen.learning_rate,
            "warmup": min(100, steps),
            "clip_norm": 100.0,
            "eval_every": max(steps // 8, 1),
            "jit_compile": False,
            "steps_per_execution": 10,
            "seed": seed,
        },
    )


def run(
    study: str, output: pathlib.Path, steps: int, seeds: int, data: dict, samples: int, rows: int
) -> dict[str, list[dict]]:
    """Trains and tests every variant from every seed, or resumes where it was stopped.

    Returns:
      For each variant, a record per seed: `bits_per_dim`, `parameters`, `seconds`, `curve`.
    """
    records = {variant: [] for variant in STUDIES[study].variants}
    for seed, variant in itertools.product(range(seeds), records):
        values = config(study, variant, seed, steps, data)
        workdir = output / values.name
        check_same(workdir, stored_values(values))
        if not (workdir / registry.CARD).is_file():
            train(values, workdir, verbose=0)
        result = evaluate(workdir, samples=samples, rows=rows)
        if result["bits_per_dim"] is None:
            raise ValueError(f"{values.name}: its bits/dim are not finite")
        card = registry.card(workdir)
        lines = (workdir / training.loop.METRICS).read_text().splitlines()
        curve = [(r["step"], r["val_loss"]) for r in map(json.loads, lines) if "val_loss" in r]
        records[variant].append(
            {
                "bits_per_dim": result["bits_per_dim"],
                "parameters": card["parameters"],
                "seconds": card["training"]["seconds"],
                "curve": curve,
                "dim": card["dim"],
            }
        )
        print(f"{variant}, seed {seed}: {result['bits_per_dim']:.4f} bits/dim", flush=True)
    return records


def table(records: dict[str, list[dict]]) -> str:
    """The variants as a Markdown table, and whether neighbours are two standard errors apart."""
    lines = ["| variant | parameters | bits/dim | each seed | minutes |", "|---|---|---|---|---|"]
    for variant, runs in records.items():
        bits = np.array([r["bits_per_dim"] for r in runs])
        minutes = np.mean([r["seconds"] for r in runs]) / 60
        each = ", ".join(f"{b:.4f}" for b in bits)
        lines.append(
            f"| {variant} | {runs[0]['parameters']:,} | {bits.mean():.4f} ± "
            f"{2 * _error(bits):.4f} | {each} | {minutes:.1f} |"
        )
    lines.append("")
    for first, second in itertools.pairwise(records):
        lines.append(_compared(first, second, records))
    names = list(records)
    if len(names) > 2:
        lines.append(_compared(names[0], names[-1], records))
    return "\n".join(lines)


def _error(values: np.ndarray) -> float:
    """The standard error of the mean."""
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.inf


def _compared(first: str, second: str, records) -> str:
    """Compares two variants seed by seed, because runs with the same seed saw the same batches."""
    gaps = np.array(
        [
            b["bits_per_dim"] - a["bits_per_dim"]
            for a, b in zip(records[first], records[second], strict=True)
        ]
    )
    error = _error(gaps)
    line = f"- {first} ahead of {second} by {gaps.mean():.4f} ± {2 * error:.4f} bits/dim: "
    if abs(gaps.mean()) > 2 * error:
        return line + ("resolved" if gaps.mean() > 0 else "resolved, but in the opposite order")
    if not math.isfinite(error):
        return line + "one seed gives no estimate of the error"
    if not gaps.mean():
        return line + "not resolved; no number of seeds resolves a gap of 0"
    needed = math.ceil((2 * gaps.std(ddof=1) / gaps.mean()) ** 2)
    return line + f"not resolved; at this gap and spread it would take {needed} seeds"


def picture(study: str, records: dict[str, list[dict]], path: pathlib.Path) -> None:
    """Draws the validation curves of all variants and seeds."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, (variant, runs) in enumerate(records.items()):
        for seed, one in enumerate(runs):
            steps, losses = np.array(one["curve"]).T
            bits = losses / (one["dim"] * math.log(2))
            label = variant if seed == 0 else None
            axes.plot(steps, bits, f"C{number}-", lw=1.2, alpha=0.8, label=label)
    runs = itertools.chain.from_iterable(records.values())
    ends = [np.array(r["curve"])[:, 1] / (r["dim"] * math.log(2)) for r in runs]
    # The axis spans the best to the worst value, without the first quarter of each curve.
    low, high = min(end.min() for end in ends), max(end[len(end) // 4 :].max() for end in ends)
    space = 0.05 * (high - low)
    axes.set(
        xlabel="step",
        ylabel="validation, bits/dim",
        title=STUDIES[study].title,
        ylim=(low - space, high + space),
    )
    axes.legend()
    files.write(path, lambda temporary: figure.savefig(temporary, dpi=120))


def main() -> None:
    """Runs the study that the flags name."""
    values = flags.FLAGS
    steps = STUDIES[values.study].steps if values.steps is None else values.steps
    samples = 1 if values.samples is None else values.samples
    counts = {"seeds": values.seeds, "rows": values.rows, "steps": steps, "samples": samples}
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    output = pathlib.Path(values.output)
    outputs.check_folder("output", output, ("table.md", "curves.png"))
    data = {"name": values.data_name, "data_dir": values.data_dir, "channels": values.channels}
    data = {key: value for key, value in data.items() if value is not None}
    records = run(values.study, output, steps, values.seeds, data, samples, values.rows)
    text = table(records)
    files.write(output / "table.md", lambda path: path.write_text(text + "\n"))
    picture(values.study, records, output / "curves.png")
    print(text)


if __name__ == "__main__":
    cli.run(main)
