"""NICE."""

PAPER = {
    "title": "Dinh, Krueger & Bengio, NICE, 2014",
    "url": "https://arxiv.org/abs/1410.8516",
}
