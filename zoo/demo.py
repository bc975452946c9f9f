"""Trains, exports and scores a density from scratch: `python -m zoo.demo`.

Trains the neural spline flow on two moons, tests it against the exact density, exports it, scores
rows through the export in a second process, and draws the picture.

Examples:
  python -m zoo.demo
  python -m zoo.demo --steps=500 --workdir=runs/quick
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("workdir", "runs/nsf_moons", "Folder for everything that the demo writes.")
    flags.DEFINE_integer("steps", 0, "Training steps; 0 for the config's number.")
    cli.begin("zoo.demo", __doc__)

import os
import pathlib
import subprocess
import sys
import time

import numpy as np

from zoo import modalities, registry
from zoo.evaluate import describe, evaluate
from zoo.train import train

MODEL = "nsf_moons"
_SCORED = 10_000


def _run(title: str, *arguments: str) -> str:
    """Runs a process with the same Python and returns the last line that it prints."""
    print(f"\n{title}\n$ python {' '.join(arguments)}", flush=True)
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise ValueError(f"demo: {arguments[0]} {arguments[1]} ended with code {done.returncode}")
    print(done.stdout, end="")
    return done.stdout.splitlines()[-1]


def main() -> None:
    """Runs the demo."""
    began = time.monotonic()
    workdir = pathlib.Path(flags.FLAGS.workdir)
    config = registry.config(MODEL)
    config.train.steps = flags.FLAGS.steps or config.train.steps
    finished = (workdir / registry.CARD).exists()
    note = " (already trained; remove the folder to train again)" if finished else ""
    print(f"1. Training {MODEL} for {config.train.steps} steps in {workdir}{note}", flush=True)
    card = train(config, workdir)
    print(f"{card['parameters']} parameters, {card['training']['seconds']} s of training")

    print("\n2. Testing against the exact density of two moons", flush=True)
    flow = registry.load(workdir)
    print(describe(evaluate(workdir, flow=flow), flow.modality))

    serving = workdir / "serving" / MODEL
    export = ("-m", "export", f"--model={workdir}", f"--output={serving}", "--overwrite")
    exported = _run("3. Exporting", *export)

    rows = modalities.load(config).test()[:_SCORED]
    rows_path, scores_path = workdir / "rows.npy", workdir / "scores.npy"
    np.save(rows_path, rows)
    script = os.path.relpath(pathlib.Path(__file__).parents[1] / "export" / "score.py")
    # -P keeps the script's folder off its import path.
    _run(
        "4. Scoring through the export, in a process with only TensorFlow and numpy",
        *("-P", script, exported, str(rows_path), str(scores_path)),
    )
    scores = np.load(scores_path)
    here = flow.log_prob(rows).numpy()
    print(
        f"mean log-likelihood {scores.mean():.4f} nats; largest difference from the model "
        f"itself: {np.abs(scores - here).max():.1e}"
    )

    print("\n5. Files")
    for name, path in {
        "picture": workdir / "pictures" / "overview.png",
        "training curve": workdir / "pictures" / "training.png",
        "latent grid": workdir / "pictures" / "latent_grid.png",
        "weights": workdir / registry.WEIGHTS,
        "card": workdir / registry.CARD,
        "metrics": workdir / "metrics.jsonl",
        "TensorBoard": workdir / "events",
        "export": exported,
        "scores": scores_path,
    }.items():
        print(f"{name:>15}: {path}")
    print(f"\nDone in {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    cli.run(main)
