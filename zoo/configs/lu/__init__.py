"""Linear flows by LU factors."""

PAPER = {
    "title": "Kingma & Dhariwal, Glow, 2018 (the LU factors of its 1x1 convolution)",
    "url": "https://arxiv.org/abs/1807.03039",
}
