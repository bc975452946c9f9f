"""Radial flows."""

PAPER = {
    "title": "Rezende & Mohamed, Variational Inference with Normalizing Flows, 2015",
    "url": "https://arxiv.org/abs/1505.05770",
}
