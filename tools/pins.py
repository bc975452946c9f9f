"""Pins numbers of the pretrained models for the tests: `python -m tools.pins NAME ...`.

A pin is a file `tests/zoo/pins/NAME.json` with draws of a model and log-densities at some points.
The tests load each model and compare. Pin a model again only if its weights were made again.

Examples:
  python -m tools.pins nsf_moons
  python -m tools.pins --missing
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_bool("missing", False, "Pin all models that have no pin.")
    cli.begin("tools.pins", __doc__, arguments="NAME ...")

import json
import pathlib

import numpy as np

from tfflows import files
from zoo import modalities, registry

FOLDER = pathlib.Path(__file__).parents[1] / "tests" / "zoo" / "pins"


def path(name: str) -> pathlib.Path:
    """The file of a model's pin."""
    return FOLDER / f"{name}.json"


def pin(model) -> dict:
    """Draws of a model, and log-densities: at rounded points, or of the draws for integers."""
    if model.event_dtype.is_integer:
        context = modalities.of(model).contexts(model, 2)
        draws = model.sample(2, seed=10, context=context).numpy()
        log_prob = model.log_prob(draws, context).numpy()
        return {"draws": draws.tolist(), "log_prob": log_prob.round(3).tolist()}
    points = np.round(_points(model), 2)
    return {
        "draws": model.sample(4, seed=10).numpy().round(5).tolist(),
        "points": points.tolist(),
        "log_prob": model.log_prob(points).numpy().round(5).tolist(),
    }


def _points(model) -> np.ndarray:
    """Eight points at which every model has a density worth comparing."""
    spread = np.linspace(-1.0, 1.0, 8)[:, np.newaxis] * np.ones(model.event_shape)
    draws = model.sample(256, seed=11).numpy()
    return (np.median(draws, axis=0) + spread * draws.std(axis=0)).astype(np.float32)


def main(names: list[str]) -> None:
    """Pins the models named."""
    known = registry.pretrained()
    if flags.FLAGS.missing:
        names = [*names, *(name for name in known if not path(name).exists())]
    if not names and not flags.FLAGS.missing:
        raise ValueError("names: expected names of pretrained models, or --missing, got neither")
    for name in names:
        if name not in known:
            raise ValueError(f"names: expected names of pretrained models, got {name!r}")
        text = json.dumps(pin(registry.load(name))) + "\n"
        files.write(path(name), lambda temporary, text=text: temporary.write_text(text))
        print(path(name))


if __name__ == "__main__":
    cli.run(main, arguments=True)
