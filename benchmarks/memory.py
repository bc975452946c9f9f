"""Measures Glow's training memory with and without recomputation: `python benchmarks/memory.py`.

Each case trains in its own process with one thread. It prints the process's peak resident memory up
to the import of TensorFlow, the peak over the whole training, and what the training step adds to
the memory resident before it: activations and gradients. The ratios of the deep flow to the shallow
one follow.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def _resident() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _peak() -> float:
    """Peak resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Watch(threading.Thread):
    """Records the peak resident memory while it runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self._over = 0.0, threading.Event()

    def run(self):
        while not self._over.wait(0.002):
            self.peak = max(self.peak, _resident())

    def stop(self) -> float:
        self._over.set()
        self.join()
        return self.peak


def measure(steps: int, recompute: bool, levels: int, width: int, batch: int) -> dict:
    """Memory in MB, and seconds per step, of this process as it trains one Glow."""
    import numpy as np
    import tensorflow as tf

    from tfflows import models, training

    imported = _peak()
    shape = (32, 32, 3)
    flow = models.Glow(shape, levels=levels, steps=steps, width=width, recompute=recompute)
    flow.compile(training.Adam(1e-4), jit_compile=False)
    x = np.random.default_rng(0).integers(0, 256, (batch, *shape), np.uint8)
    flow.initialize(x[:8])
    flow.optimizer.build(flow.trainable_variables)
    step = tf.function(flow.train_step, input_signature=[tf.TensorSpec([None, *shape], tf.uint8)])
    for _ in range(2):  # traces, and sets up what TensorFlow keeps for the graph
        step(tf.constant(x[:2]))
    before, watch, seconds = _resident(), _Watch(), []
    watch.start()
    for _ in range(3):
        start = time.perf_counter()
        loss = step(tf.constant(x))["loss"].numpy()
        seconds.append(time.perf_counter() - start)
    assert np.isfinite(loss)
    added = watch.stop() - before
    return {"imported": imported, "training": _peak(), "step": added, "seconds": min(seconds)}


def _in_a_process(**case) -> dict:
    """Runs `measure` in its own process."""
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    environment = dict.fromkeys(names, "1")
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    # Make malloc return freed memory to the system, so that it stops being resident.
    environment |= {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, __file__, "--case", json.dumps(case)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Prints a row for each case, and the ratios."""
    parser = argparse.ArgumentParser(
        description="Measures Glow's training memory.",
        epilog="example: python benchmarks/memory.py --shallow=2 --deep=8 --batch=64",
    )
    parser.add_argument("--shallow", type=int, default=8, help="steps of flow per level")
    parser.add_argument("--deep", type=int, default=32, help="steps of flow per level")
    parser.add_argument("--levels", type=int, default=1)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    values = parser.parse_args()
    if values.case:
        print(json.dumps(measure(**json.loads(values.case))))
        return
    sizes = {"levels": values.levels, "width": values.width, "batch": values.batch}
    print(
        "| steps | recompute | import, MB | training, MB | added by a step, MB | seconds per step |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    results = {}
    for recompute in (True, False):
        for steps in (values.shallow, values.deep):
            one = results[steps, recompute] = _in_a_process(
                steps=steps, recompute=recompute, **sizes
            )
            print(
                f"| {steps} | {'yes' if recompute else 'no'} | {one['imported']:.0f} | "
                f"{one['training']:.0f} | {one['step']:.0f} | {one['seconds']:.2f} |",
                flush=True,
            )
    print()
    for recompute in (True, False):
        deep, shallow = results[values.deep, recompute], results[values.shallow, recompute]
        print(
            f"{'With' if recompute else 'Without'} recomputation, {values.deep} steps of flow "
            f"take {deep['training'] / shallow['training']:.2f} times the memory of "
            f"{values.shallow}; a training step adds {deep['step'] / shallow['step']:.2f} times "
            "as much memory."
        )
    cost = results[values.deep, True]["seconds"] / results[values.deep, False]["seconds"]
    print(
        f"A training step through {values.deep} steps of flow takes {cost:.2f} times as long "
        "with recomputation."
    )


if __name__ == "__main__":
    main()
