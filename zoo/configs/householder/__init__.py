"""Flows of Householder reflections."""

PAPER = {
    "title": "Tomczak & Welling, Improving Variational Auto-Encoders using Householder Flow, 2016",
    "url": "https://arxiv.org/abs/1611.09630",
}
