"""Invertible maps: each is a `tfp.bijectors.Bijector`.

`forward` goes from latent to data, `inverse` from data to latent, as everywhere in TFP.
"""

from tfflows.bijectors.autoregressive import MaskedAutoregressive
from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det
from tfflows.bijectors.chain import Chain, Invert
from tfflows.bijectors.coupling import Coupling
from tfflows.bijectors.elementwise import (
    Additive,
    Affine,
    Elementwise,
    ElementwiseMap,
    ShiftAndLogScale,
)
from tfflows.bijectors.linear import (
    FullAffine,
    LULinear,
    Permutation,
    random_permutation,
    reversal,
)
from tfflows.bijectors.mixture_cdf import MixtureCDF, MixtureCDFBijector
from tfflows.bijectors.normalization import ActNorm, Standardize
from tfflows.bijectors.spline import RationalQuadraticSpline, SplineBijector

__all__ = [
    "ActNorm",
    "Additive",
    "Affine",
    "Bijector",
    "Chain",
    "Coupling",
    "Elementwise",
    "ElementwiseMap",
    "FullAffine",
    "Invert",
    "LULinear",
    "MaskedAutoregressive",
    "MixtureCDF",
    "MixtureCDFBijector",
    "Permutation",
    "RationalQuadraticSpline",
    "ShiftAndLogScale",
    "SplineBijector",
    "Standardize",
    "forward_and_log_det",
    "inverse_and_log_det",
    "random_permutation",
    "reversal",
]
