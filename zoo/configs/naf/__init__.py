"""Neural autoregressive flows."""

PAPER = {
    "title": "Huang et al., Neural Autoregressive Flows, 2018",
    "url": "https://arxiv.org/abs/1804.00779",
}
