"""Affine flows."""

PAPER = {
    "title": "Papamakarios et al., Normalizing Flows for Probabilistic Modeling, 2021",
    "url": "https://arxiv.org/abs/1912.02762",
}
