"""Residual flows."""

PAPER = {
    "title": "Chen et al., Residual Flows for Invertible Generative Modeling, 2019",
    "url": "https://arxiv.org/abs/1906.02735",
}
