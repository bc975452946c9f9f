"""Histograms."""

PAPER = {
    "title": "Freedman & Diaconis, On the Histogram as a Density Estimator, 1981",
    "url": "https://doi.org/10.1007/BF01025868",
}
