"""Flow++."""

PAPER = {
    "title": "Ho et al., Flow++, 2019",
    "url": "https://arxiv.org/abs/1902.00275",
}
