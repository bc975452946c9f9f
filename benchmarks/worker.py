"""Runs one library in its own process: builds a flow and times its calls on request.

`python -m benchmarks.worker LIB SIZES` reads lines `TASK WHAT REPEATS` and answers each with a
line of JSON: the flow's number of parameters and the milliseconds of each call.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

from benchmarks.tasks import Sizes


def timed(call, repeats: int) -> list[float]:
    """Milliseconds of each of `repeats` calls, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def serve(library: str, sizes: Sizes, requests, answer) -> None:
    """Answers each of `requests`; keeps the flow of a task until a request names another."""
    build = importlib.import_module(f"benchmarks.with_{library}").build
    current, warm = None, set()
    for request in requests:
        task, what, repeats = request.split()
        if task != current:
            calls, parameters = build(task, sizes)
            current, warm = task, set()
        if what not in warm:
            # Traces and compiles, and lets allocators settle.
            timed(calls[what], 2 if int(repeats) > 1 else 0)
            warm.add(what)
        times = timed(calls[what], int(repeats))
        answer(json.dumps({"parameters": parameters, "ms": times}))


def main() -> None:
    """Serves requests from standard input; what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    library, sizes = sys.argv[1], json.loads(sys.argv[2])
    sizes = Sizes(**sizes | {"image": tuple(sizes["image"])})

    def answer(line):
        print(line, file=answers, flush=True)

    serve(library, sizes, sys.stdin, answer)


if __name__ == "__main__":
    main()
