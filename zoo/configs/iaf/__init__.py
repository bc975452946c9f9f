"""Inverse autoregressive flows."""

PAPER = {
    "title": "Kingma et al., Inverse Autoregressive Flow, 2016",
    "url": "https://arxiv.org/abs/1606.04934",
}
