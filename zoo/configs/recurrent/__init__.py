"""Recurrent and finite-dependency autoregressive flows."""

PAPER = {
    "title": "Oliva et al., Transformation Autoregressive Networks, 2018",
    "url": "https://arxiv.org/abs/1801.09819",
}
