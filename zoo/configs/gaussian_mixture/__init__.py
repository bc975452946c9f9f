"""Mixtures of Gaussians by EM."""

PAPER = {
    "title": "Dempster, Laird & Rubin, Maximum Likelihood from Incomplete Data via the EM Algorithm, 1977",
    "url": "https://doi.org/10.1111/j.2517-6161.1977.tb01600.x",
}
