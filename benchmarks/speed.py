"""Times the reference flows: `python benchmarks/speed.py --lib=all`.

Prints a row for each figure, `LIB TASK WHAT MS ms`, and with `--lib=all` a table of all of them.
Each library runs in its own process. The libraries take turns, a few calls each, so that other load
on the machine affects all of them alike.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.tasks import LIBRARIES, TASKS, WHATS, Sizes, libraries_of, slow  # noqa: E402

_ROUNDS = 5  # turns of each library at each figure


class Library:
    """A process that runs one library.

    Args:
      name: one of `LIBRARIES`.
      sizes: sizes of its flows.
      threads: cores and threads that it may use.
    """

    def __init__(self, name: str, sizes: Sizes, threads: int):
        self.name = name
        count = str(threads)
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
        names += ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        environment = dict.fromkeys(names, count)
        environment |= {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""}
        environment |= {"JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.worker",
                name,
                json.dumps(dataclasses.asdict(sizes)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | environment,
        )
        if hasattr(os, "sched_setaffinity"):
            # Not every thread pool takes its size from the environment.
            cores = sorted(os.sched_getaffinity(0))[:threads]
            os.sched_setaffinity(self._process.pid, cores)

    def times(self, task: str, what: str, repeats: int) -> tuple[int, list[float]]:
        """The flow's number of parameters and the milliseconds of each of `repeats` calls.

        Raises:
          RuntimeError: if the process ends instead of answering.
        """
        try:
            print(task, what, repeats, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.name} failed at {task} {what}")
        answer = json.loads(line)
        return answer["parameters"], answer["ms"]

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()


def measure(libraries: list[Library], tasks, whats, repeats: int, report=print) -> dict:
    """Median milliseconds of each (library, task, what); `report` gets each row as it is measured.

    Args:
      libraries: the processes, which take turns.
      tasks, whats: what to time.
      repeats: calls of each; a sixth of that for slow calls.
      report: called with each line.
    """
    medians, known = {}, set()
    for task in tasks:
        having = [library for library in libraries if library.name in libraries_of(task)]
        for what in whats:
            times = {library.name: [] for library in having}
            calls = max(1, repeats // 6) if slow(task, what) else repeats
            for turn in range(min(_ROUNDS, calls)):
                share = len(range(turn, calls, _ROUNDS))
                for library in having:
                    parameters, some = library.times(task, what, share)
                    times[library.name] += some
                    if (library.name, task) not in known:
                        known.add((library.name, task))
                        note = f"{library.name} {task}: {parameters} parameters"
                        print(note, file=sys.stderr)
            for name, some in times.items():
                medians[name, task, what] = statistics.median(some)
                report(f"{name} {task} {what} {medians[name, task, what]:.2f} ms")
    return medians


def _geometric_mean(values) -> float:
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def table(medians: dict) -> str:
    """All `medians` in Markdown, with how much faster tfflows is than the best other library."""
    names = [name for name in LIBRARIES if any(name == key[0] for key in medians)]
    rows = list(dict.fromkeys(key[1:] for key in medians))
    header = ["", *names, "best peer / tfflows"]
    lines = [header, ["---"] * len(header)]
    ratios = {}
    for row in rows:
        ours = medians["tfflows", *row]
        peers = [medians[n, *row] for n in names if n != "tfflows" and (n, *row) in medians]
        figures = [f"{medians[n, *row]:.3g}" if (n, *row) in medians else "" for n in names]
        ratio = ""
        if peers:
            ratios[row] = min(peers) / ours
            ratio = f"{ratios[row]:.2f}"
        lines.append([" ".join(row), *figures, ratio])
    vectors = [row for row in ratios if row[0] != "glow"]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    for label, chosen in (
        ("vectors, all but autoregressive sampling", [r for r in vectors if not slow(*r)]),
        ("autoregressive sampling", [r for r in vectors if slow(*r)]),
        ("images", [row for row in ratios if row[0] == "glow"]),
    ):
        if chosen:
            mean = _geometric_mean(ratios[row] for row in chosen)
            text += f"\n\nGeometric mean of the ratios, {label}: {mean:.2f}"
    return text


def installed(name: str) -> bool:
    """Whether the library can be imported here."""
    return name == "tfflows" or importlib.util.find_spec(name) is not None


def _arguments(arguments):
    sizes = Sizes()
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="examples: python benchmarks/speed.py --lib=all; "
        "python benchmarks/speed.py --lib=tfflows --task=maf --what=sample",
    )
    parser.add_argument("--lib", choices=(*LIBRARIES, "all"), default="all")
    parser.add_argument("--task", choices=(*TASKS, "all"), default="all")
    parser.add_argument("--what", choices=(*WHATS, "all"), default="all")
    parser.add_argument("--threads", type=int, default=2, help="cores for each library")
    parser.add_argument(
        "--repeats",
        type=int,
        default=30,
        help="number of timed calls; the table shows their median",
    )
    for name in ("dim", "batch", "units"):
        parser.add_argument(f"--{name}", type=int, default=getattr(sizes, name))
    parsed = parser.parse_args(arguments)
    for name in ("threads", "repeats", "batch", "units"):
        if getattr(parsed, name) < 1:
            parser.error(f"--{name}: expected at least 1, got {getattr(parsed, name)}")
    if parsed.dim < 2:
        parser.error(f"--dim: expected at least 2, got {parsed.dim}")
    return parsed


def main(arguments=None) -> int:
    """Runs the command line; returns the exit status."""
    parsed = _arguments(arguments)
    sizes = Sizes(dim=parsed.dim, batch=parsed.batch, units=parsed.units)
    chosen = LIBRARIES if parsed.lib == "all" else (parsed.lib,)
    missing = [name for name in chosen if not installed(name)]
    for name in missing:
        print(f"{name} is not installed: skipped", file=sys.stderr)
    libraries = [Library(n, sizes, parsed.threads) for n in chosen if n not in missing]
    try:
        medians = measure(
            libraries,
            TASKS if parsed.task == "all" else (parsed.task,),
            WHATS if parsed.what == "all" else (parsed.what,),
            parsed.repeats,
        )
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        for library in libraries:
            library.close()
    if len(libraries) > 1:
        print(f"\n{table(medians)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
