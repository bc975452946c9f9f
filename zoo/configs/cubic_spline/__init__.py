"""Flows of cubic splines."""

PAPER = {
    "title": "Durkan et al., Cubic-Spline Flows, 2019",
    "url": "https://arxiv.org/abs/1906.02145",
}
