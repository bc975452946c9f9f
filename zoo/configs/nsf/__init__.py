"""Neural spline flows."""

PAPER = {
    "title": "Durkan et al., Neural Spline Flows, 2019",
    "url": "https://arxiv.org/abs/1906.04032",
}
