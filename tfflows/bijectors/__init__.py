"""Invertible maps: each is a `tfp.bijectors.Bijector`.

`forward` goes from latent to data, `inverse` from data to latent, as everywhere in TFP.
"""

from tfflows.bijectors.autoregressive import MaskedAutoregressive
from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det
from tfflows.bijectors.box_muller import BoxMuller
from tfflows.bijectors.chain import Chain, Invert
from tfflows.bijectors.continuous import ContinuousFlow
from tfflows.bijectors.coupling import Coupling
from tfflows.bijectors.cubic_spline import CubicSpline
from tfflows.bijectors.deep_sigmoidal import DeepSigmoidal
from tfflows.bijectors.elementwise import (
    Additive,
    Affine,
    Elementwise,
    ElementwiseMap,
    ShiftAndLogScale,
)
from tfflows.bijectors.householder import Householder, QRLinear
from tfflows.bijectors.linear import (
    FullAffine,
    LULinear,
    Permutation,
    random_permutation,
    reversal,
)
from tfflows.bijectors.linear_spline import LinearSpline
from tfflows.bijectors.mixture_cdf import MixtureCDF, MixtureCDFBijector
from tfflows.bijectors.monotonic_integral import MonotonicIntegral
from tfflows.bijectors.normalization import ActNorm, Standardize
from tfflows.bijectors.planar import Planar, Radial
from tfflows.bijectors.quadratic_spline import QuadraticSpline
from tfflows.bijectors.rational_quadratic_spline import RationalQuadraticSpline
from tfflows.bijectors.residual import Residual
from tfflows.bijectors.spline import SplineBijector
from tfflows.bijectors.sum_of_squares import SumOfSquares
from tfflows.bijectors.sylvester import Sylvester

__all__ = [
    "ActNorm",
    "Additive",
    "Affine",
    "Bijector",
    "BoxMuller",
    "Chain",
    "ContinuousFlow",
    "Coupling",
    "CubicSpline",
    "DeepSigmoidal",
    "Elementwise",
    "ElementwiseMap",
    "FullAffine",
    "Householder",
    "Invert",
    "LULinear",
    "LinearSpline",
    "MaskedAutoregressive",
    "MixtureCDF",
    "MixtureCDFBijector",
    "MonotonicIntegral",
    "Permutation",
    "Planar",
    "QRLinear",
    "QuadraticSpline",
    "Radial",
    "RationalQuadraticSpline",
    "Residual",
    "ShiftAndLogScale",
    "SplineBijector",
    "Standardize",
    "SumOfSquares",
    "Sylvester",
    "forward_and_log_det",
    "inverse_and_log_det",
    "random_permutation",
    "reversal",
]
