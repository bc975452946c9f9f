"""GraphCNF."""

PAPER = {
    "title": "Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021",
    "url": "https://arxiv.org/abs/2006.09790",
}
