"""Unconstrained monotonic neural networks."""

PAPER = {
    "title": "Wehenkel & Louppe, Unconstrained Monotonic Neural Networks, 2019",
    "url": "https://arxiv.org/abs/1908.05164",
}
