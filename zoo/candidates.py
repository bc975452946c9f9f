"""Models that are not trained step by step but estimated from all rows at once.

Histograms, Gaussians and mixtures by EM have a method `estimate`. If the config names candidates
(numbers of bins or of components), each candidate is estimated from the training rows, and the one
with the lowest validation loss is kept.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import time
from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from tfflows import batches, files
from tfflows.training import loop
from zoo.modalities.data import Data


def of_config(config: ConfigDict) -> list[dict]:
    """Arguments of each model that validation chooses among; a single empty dict by default."""
    given = config.model.get("candidates", {})
    values = [value if isinstance(value, tuple | list) else [value] for value in given.values()]
    for name, choice in zip(given, values, strict=True):
        if not choice:
            raise ValueError(f"model.candidates.{name}: expected at least one value, got none")
    return [dict(zip(given, choice, strict=True)) for choice in itertools.product(*values)]


def best_of(build: Callable, config: ConfigDict, data: Data) -> tuple[object, list[dict], int]:
    """Estimates every candidate from the training rows.

    Args:
      build: makes the model from a candidate's arguments.
      config: the config.
      data: the data of the config.

    Returns:
      The model with the lowest validation loss, a record of each candidate, and the number of the
      chosen one, counted from 1.

    Raises:
      ValueError: if the data are a target, which has no rows.
    """
    if data.target is not None:
        raise ValueError(
            f"model.family: {config.model.family} is estimated from rows, but the target "
            f"{config.data.name} has none"
        )
    best, records = None, []
    for number, arguments in enumerate(of_config(config), 1):
        began = time.monotonic()
        model = build(**arguments)
        model.estimate(data.train)
        seconds = round(time.monotonic() - began, 3)
        loss = -float(np.mean(batches.log_prob(model, data.validation)))
        finite = {"val_loss": loss} if np.isfinite(loss) else {}
        records.append({"step": number} | arguments | finite | {"seconds": seconds})
        if best is None or loss < best[0]:
            best = loss, model, number
    return best[1], records, best[2]


def write(model, records: list[dict], workdir: pathlib.Path) -> None:
    """Writes the weights, and metrics.jsonl with one line per candidate."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    files.write(workdir / loop.METRICS, lambda path: path.write_text(text))
    files.write(workdir / loop.FINAL, model.save_weights)
