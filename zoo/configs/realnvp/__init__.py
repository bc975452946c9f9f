"""RealNVP."""

PAPER = {
    "title": "Dinh et al., Density estimation using Real NVP, 2016",
    "url": "https://arxiv.org/abs/1605.08803",
}
