"""Sum-of-squares polynomial flows."""

PAPER = {
    "title": "Jaini, Selby & Yu, Sum-of-Squares Polynomial Flow, 2019",
    "url": "https://arxiv.org/abs/1905.02325",
}
