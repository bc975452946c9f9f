"""Flows of linear and quadratic splines."""

PAPER = {
    "title": "Müller et al., Neural Importance Sampling, 2018",
    "url": "https://arxiv.org/abs/1808.03856",
}
