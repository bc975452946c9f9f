"""Glow."""

PAPER = {
    "title": "Kingma & Dhariwal, Glow, 2018",
    "url": "https://arxiv.org/abs/1807.03039",
}
