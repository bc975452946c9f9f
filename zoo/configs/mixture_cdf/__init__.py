"""Flows through mixtures' CDFs."""

PAPER = {
    "title": "Huang et al., Neural Autoregressive Flows, 2018 (CDFs of mixtures as maps)",
    "url": "https://arxiv.org/abs/1804.00779",
}
PAPER_OF_LOGISTICS = {
    "title": "Ho et al., Flow++, 2019 (the mixture-of-logistics CDF map)",
    "url": "https://arxiv.org/abs/1902.00275",
}
