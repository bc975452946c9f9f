"""Continuous flows with a free-form vector field."""

PAPER = {
    "title": "Grathwohl et al., FFJORD: Free-form Continuous Dynamics, 2018",
    "url": "https://arxiv.org/abs/1810.01367",
}
