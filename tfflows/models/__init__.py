"""Keras 3 models with one interface: `log_prob`, `sample`, `fit`, `evaluate`."""

from tfflows.models.density import DensityModel
from tfflows.models.families import (
    IAF,
    MAF,
    NSF,
    AffineFlow,
    AutoregressiveMixture,
    Family,
    LUFlow,
    MixtureCDFFlow,
    RealNVP,
)
from tfflows.models.flow import Flow

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
