"""Gaussians by maximum likelihood."""

PAPER = {
    "title": "Anderson & Olkin, Maximum-Likelihood Estimation of the Parameters of a Multivariate Normal Distribution, 1985",
    "url": "https://doi.org/10.1016/0024-3795(85)90049-7",
}
