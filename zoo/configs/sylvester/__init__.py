"""Sylvester flows."""

PAPER = {
    "title": "van den Berg et al., Sylvester Normalizing Flows for Variational Inference, 2018",
    "url": "https://arxiv.org/abs/1803.05649",
}
