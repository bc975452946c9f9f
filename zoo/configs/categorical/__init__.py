"""Categorical flows."""

PAPER = {
    "title": "Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021",
    "url": "https://arxiv.org/abs/2006.09790",
}
TRAIN = {
    "steps": 20_000,
    "batch_size": 128,
    "learning_rate": 0.005,
    "warmup": 200,
    "eval_every": 1000,
}
