"""Discrete flows."""

PAPER = {
    "title": "Tran et al., Discrete Flows: Invertible Generative Models of Discrete Data, 2019",
    "url": "https://arxiv.org/abs/1905.10347",
}
