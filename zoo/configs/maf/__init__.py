"""Masked autoregressive flows."""

PAPER = {
    "title": "Papamakarios et al., Masked Autoregressive Flow for Density Estimation, 2017",
    "url": "https://arxiv.org/abs/1705.07057",
}
