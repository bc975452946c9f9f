"""Linear flows by QR factors."""

PAPER = {
    "title": "Hoogeboom et al., Emerging Convolutions for Generative Normalizing Flows, 2019",
    "url": "https://arxiv.org/abs/1901.11137",
}
