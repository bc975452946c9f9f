"""Keras 3 models with one interface: `log_prob`, `sample`, `fit`, `evaluate`."""

from tfflows.models.affine import IAF, MAF, RealNVP
from tfflows.models.density import DensityModel
from tfflows.models.family import Family
from tfflows.models.flow import Flow
from tfflows.models.linear import AffineFlow, LUFlow
from tfflows.models.mixtures import AutoregressiveMixture, MixtureCDFFlow
from tfflows.models.spline import NSF

__all__ = [
    "IAF",
    "MAF",
    "NSF",
    "AffineFlow",
    "AutoregressiveMixture",
    "DensityModel",
    "Family",
    "Flow",
    "LUFlow",
    "MixtureCDFFlow",
    "RealNVP",
]
