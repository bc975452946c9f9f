"""Compares flows on tables: `python benchmarks/tables.py --data=FOLDER --results=tables.jsonl`.

Every .npz file of the folder (rows under `x`) with enough rows is split, and columns whose values
repeat get noise, as in `zoo.train`. Each model trains for the same number of steps on the same
rows; validation chooses its weights, and the test rows are scored once. The figure is the mean
log-likelihood of standardised rows, noise included, in nats.

Our models are the zoo's configs at their defaults. The nflows models have its authors' settings for
tables: six layers, each a permutation, an LU linear map and the named layer; residual networks of
two blocks, 128 wide; 8 bins, tails at 3 and dropout 0.1 for the splines; Adam at 5e-4 with cosine
decay, and gradients clipped at 5. Each run is a line of the results file; a run that is already
there is not repeated. `--report` prints a table of the file's runs. `benchmarks/tables.jsonl` has
the runs so far, each on one core of its own; a time is null if other work ran beside it.

Reference: Durkan, Bekasov, Murray & Papamakarios, Neural Spline Flows, 2019 (appendix B).
https://arxiv.org/abs/1906.04032
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

OURS = ("nsf_table", "maf_table", "realnvp_table")
THEIRS = ("nflows-nsf_ar", "nflows-nsf_c", "nflows-maf")
# The defaults of our configs were chosen on these tables; figures on the others are the test.
CHOSEN_ON = {
    *("airfoil", "htru2", "miniboone_first1523", "protein", "sml", "wine_red", "wine_white"),
}
MIN_ROWS = 1000
EVERY, BATCH = 250, 256


def run_ours(name: str, path: Path, seed: int, steps: int) -> dict:
    """Trains and tests a config of the zoo, as a user would."""
    import zoo
    from zoo.evaluate import evaluate
    from zoo.train import train

    config = zoo.registry.config(name)
    config.data.path, config.data.drop_constant = str(path), True
    config.train.steps, config.train.seed = steps, seed
    config.train.batch_size, config.train.eval_every = BATCH, EVERY
    with tempfile.TemporaryDirectory() as workdir:
        card = train(config, workdir, verbose=0)
        result = evaluate(workdir)
    facts = card["training"]
    return {
        "test": result["log_likelihood_standardized"],
        "error": result["log_likelihood_standardized_two_standard_errors"],
        "parameters": card["parameters"],
        "chosen_step": facts["chosen_step"],
        "seconds": facts["seconds"],
    }


def run_theirs(name: str, path: Path, seed: int, steps: int) -> dict:
    """Trains and tests nflows' model of that name."""
    from benchmarks import tables_nflows

    return tables_nflows.run(name, *prepared(path), seed, steps, BATCH, EVERY)


def prepared(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The parts of a table, standardised, and the widths of the noise in each column.

    The training rows have no noise; validation and test rows have one draw of it.
    """
    from tfflows.data import grid, table

    splits = table.prepare(table.read_table(path), drop_constant=True)
    parts = {name: getattr(splits, name) for name in ("train", "validation", "test")}
    parts = {name: np.asarray(part, np.float64) for name, part in parts.items()}
    cells = grid.find_cells(np.concatenate(list(parts.values())))
    step = np.where(cells.step > 0, cells.step, 1.0)
    rng = np.random.default_rng(1)
    for name, part in parts.items():
        centre = cells.origin + np.rint((part - cells.origin) / step) * step
        part = np.where(cells.step > 0, centre, part)
        if name != "train":
            part = part + rng.uniform(-0.5, 0.5, part.shape) * cells.step
        parts[name] = ((part - splits.mean) / splits.std).astype(np.float32)
    return parts, (cells.step / splits.std).astype(np.float32)


def report(lines: list[dict]) -> str:
    """The results in Markdown: tables that defaults were chosen on, then the others."""
    parts = []
    for title, chosen in (
        ("Tables that the defaults were chosen on", True),
        ("Other tables", False),
    ):
        part = [line for line in lines if (line["table"] in CHOSEN_ON) == chosen]
        if part:
            parts.append(f"{title}:\n\n{_table(part)}\n\n{_lead(part)}")
    return "\n\n".join(parts)


def _table(lines: list[dict]) -> str:
    """A Markdown table with a row per data table and a column per model."""
    models = [*OURS, *THEIRS]
    rows = [["table", *models], ["---"] * (1 + len(models))]
    for name in sorted({line["table"] for line in lines}):
        rows.append([name, *(_cell(_runs(lines, name, model)) for model in models)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _runs(lines: list[dict], table: str, model: str) -> list[dict]:
    return [line for line in lines if (line["table"], line["model"]) == (table, model)]


def _lead(lines: list[dict]) -> str:
    """By how much `nsf_table` leads the best nflows model, over tables with all of them run."""
    leads = []
    for name in sorted({line["table"] for line in lines}):
        ours, *theirs = (_runs(lines, name, model) for model in ("nsf_table", *THEIRS))
        if not ours or not all(theirs):
            continue
        means = [statistics.mean(run.get("test", -math.inf) for run in r) for r in (ours, *theirs)]
        leads.append(means[0] - max(means[1:]))
    if not leads:
        return "No table has runs of every model yet."
    return (
        f"nsf_table minus the best model of nflows: {statistics.mean(leads):+.2f} nats on "
        f"average over {len(leads)} table{'s' if len(leads) > 1 else ''}, {min(leads):+.2f} at "
        "worst."
    )


def _cell(runs: list[dict]) -> str:
    """Mean over seeds, with two standard errors of the test rows and the range over seeds."""
    if not runs:
        return ""
    good = [run for run in runs if "test" in run and math.isfinite(run["test"])]
    if len(good) < len(runs):
        return f"{len(runs) - len(good)} of {len(runs)} runs died"
    values = [run["test"] for run in good]
    error = statistics.mean(run["error"] for run in good)
    spread = f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
    times = [run["seconds"] for run in good if run["seconds"] is not None]
    time_taken = f", {statistics.mean(times):.0f} s" if times else ""
    return f"{statistics.mean(values):.2f} ± {error:.2f}{spread}{time_taken}"


def main() -> None:
    """Runs what has not been run yet, or prints the report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, help="folder of .npz tables")
    parser.add_argument("--results", type=Path, required=True, help="file of results, JSON lines")
    parser.add_argument("--tables", help="tables to run, comma-separated; all by default")
    parser.add_argument(
        "--models", default=",".join([*OURS, *THEIRS]), help="models to run, comma-separated"
    )
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument(
        "--seeds", type=int, default=3, help="runs of each tfflows model; an nflows model gets one"
    )
    parser.add_argument(
        "--report", action="store_true", help="print the results so far as tables, and run nothing"
    )
    arguments = parser.parse_args()
    lines = []
    if arguments.results.exists():
        lines = [json.loads(line) for line in arguments.results.read_text().splitlines()]
    if arguments.report:
        print(report([line for line in lines if line["steps"] == arguments.steps]))
        return
    if arguments.data is None or not arguments.data.is_dir():
        parser.error(f"--data: expected a folder of tables, got {str(arguments.data)!r}")
    models = arguments.models.split(",")
    unknown = sorted({*models} - {*OURS, *THEIRS})
    if unknown:
        parser.error(
            f"--models: expected names from {', '.join([*OURS, *THEIRS])}, got {unknown[0]}"
        )
    keys = ("table", "model", "seed", "steps")
    done = {tuple(line[key] for key in keys) for line in lines}
    tables = sorted(arguments.data.glob("*.npz"))
    if arguments.tables:
        tables = [arguments.data / f"{name}.npz" for name in arguments.tables.split(",")]
    for path in tables:
        with np.load(path) as archive:
            if len(archive["x"]) < MIN_ROWS:
                continue
        for model in models:
            for seed in range(arguments.seeds if model in OURS else 1):
                key = (path.stem, model, seed, arguments.steps)
                if key in done:
                    continue
                began = time.monotonic()
                run = run_ours if model in OURS else run_theirs
                try:
                    result = run(model, path, seed, arguments.steps)
                except (ValueError, AssertionError, RuntimeError) as error:
                    result = {"died": " ".join(str(error).split())[:300]}
                line = dict(zip(keys, key, strict=True)) | {"cores": _cores()} | result
                line |= {"whole_seconds": round(time.monotonic() - began, 1)}
                with open(arguments.results, "a") as file:
                    file.write(json.dumps(line) + "\n")
                print(json.dumps(line), flush=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


if __name__ == "__main__":
    main()
