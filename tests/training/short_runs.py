"""A small flow, and the loop over it for a few steps."""

import json

from tfflows import models, training
from tfflows.data import pipeline, toy

ROWS = toy.get("two_moons").sample(500, 0)


def flow():
    # Dropout, so that training noise too has to be the same after a stop.
    return models.RealNVP(dim=2, layers=2, hidden_units=(8,), dropout=0.2, seed=3)


def run(folder, model=None, rate=1e-2, rows=ROWS, validation=ROWS, draw=None, ema=0.0, **settings):
    settings = {"steps": 24, "checkpoint_every": 4, "eval_every": 8} | settings
    folder.mkdir(exist_ok=True)
    (folder / "pictures").mkdir(exist_ok=True)
    model = model or flow()
    result = training.fit(
        model,
        lambda start: pipeline.training_dataset(rows, 32, 1, start),
        pipeline.evaluation_dataset(validation, 200),
        folder,
        lambda: training.optimizer("adam", training.learning_rate("cosine", rate, 24), ema=ema),
        training.Settings(**settings),
        draw=draw,
        verbose=0,
    )
    return model, result


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
