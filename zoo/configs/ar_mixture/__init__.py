"""Autoregressive flows through mixtures' CDFs."""

PAPER = {
    "title": "Germain et al., MADE: Masked Autoencoder for Distribution Estimation, 2015",
    "url": "https://arxiv.org/abs/1502.03509",
}
