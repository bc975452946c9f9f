"""Integer discrete flows."""

PAPER = {
    "title": "Hoogeboom et al., Integer Discrete Flows and Lossless Compression, 2019",
    "url": "https://arxiv.org/abs/1905.07376",
}
