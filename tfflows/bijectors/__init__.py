"""Invertible maps: each is a `tfp.bijectors.Bijector`.

`forward` goes from latent to data, `inverse` from data to latent, as everywhere in TFP.
"""

from tfflows.bijectors.autoregressive import MaskedAutoregressive
from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det
from tfflows.bijectors.box_muller import BoxMuller
from tfflows.bijectors.chain import Chain, Invert
from tfflows.bijectors.channel_blockwise import ChannelBlockwise
from tfflows.bijectors.continuous import ContinuousFlow
from tfflows.bijectors.convolution1x1 import InvertibleConvolution1x1
from tfflows.bijectors.coupling import Coupling
from tfflows.bijectors.cubic_spline import CubicSpline
from tfflows.bijectors.deep_sigmoidal import DeepSigmoidal
from tfflows.bijectors.elementwise import (
    Additive,
    Affine,
    Elementwise,
    ElementwiseMap,
    Scale,
    ShiftAndLogScale,
    SigmoidAffine,
)
from tfflows.bijectors.emerging_convolution import EmergingConvolution
from tfflows.bijectors.graph import GraphCoupling, GraphElementwise
from tfflows.bijectors.householder import Householder, QRLinear
from tfflows.bijectors.image_coupling import ChannelCoupling, ContextAffine, MaskedCoupling
from tfflows.bijectors.integer_additive import IntegerAdditive, RoundedShift
from tfflows.bijectors.linear import (
    FullAffine,
    LULinear,
    Permutation,
    random_permutation,
    reversal,
)
from tfflows.bijectors.linear_spline import LinearSpline
from tfflows.bijectors.logistic_mixture import LogisticMixtureAffine
from tfflows.bijectors.marginals import Marginals
from tfflows.bijectors.masks import channel_mask, checkerboard_mask, half_mask
from tfflows.bijectors.mixture_cdf import MixtureCDF, MixtureCDFBijector
from tfflows.bijectors.modular import ModularAffine, ModularAutoregressive, ModularCoupling
from tfflows.bijectors.monotonic_integral import MonotonicIntegral
from tfflows.bijectors.multi_scale import MultiScale
from tfflows.bijectors.normalization import ActNorm, Standardize
from tfflows.bijectors.periodic_convolution import PeriodicConvolution
from tfflows.bijectors.planar import Planar, Radial
from tfflows.bijectors.preprocessing import Logit, Rescale
from tfflows.bijectors.quadratic_spline import QuadraticSpline
from tfflows.bijectors.rational_quadratic_spline import RationalQuadraticSpline
from tfflows.bijectors.recompute import RecomputingChain
from tfflows.bijectors.residual import Residual
from tfflows.bijectors.spline import SplineBijector
from tfflows.bijectors.squeeze import CheckerboardSqueeze, Flatten, Squeeze
from tfflows.bijectors.sum_of_squares import SumOfSquares
from tfflows.bijectors.sylvester import Sylvester

__all__ = [
    "ActNorm",
    "Additive",
    "Affine",
    "Bijector",
    "BoxMuller",
    "Chain",
    "ChannelCoupling",
    "CheckerboardSqueeze",
    "ContextAffine",
    "ContinuousFlow",
    "Coupling",
    "CubicSpline",
    "DeepSigmoidal",
    "Elementwise",
    "ElementwiseMap",
    "EmergingConvolution",
    "Flatten",
    "FullAffine",
    "GraphCoupling",
    "GraphElementwise",
    "ChannelBlockwise",
    "Householder",
    "Invert",
    "IntegerAdditive",
    "InvertibleConvolution1x1",
    "LULinear",
    "LinearSpline",
    "LogisticMixtureAffine",
    "Logit",
    "Marginals",
    "MaskedAutoregressive",
    "MaskedCoupling",
    "MixtureCDF",
    "MixtureCDFBijector",
    "ModularAffine",
    "ModularAutoregressive",
    "ModularCoupling",
    "MonotonicIntegral",
    "MultiScale",
    "PeriodicConvolution",
    "Permutation",
    "Planar",
    "QRLinear",
    "QuadraticSpline",
    "Radial",
    "RationalQuadraticSpline",
    "RecomputingChain",
    "Rescale",
    "Residual",
    "RoundedShift",
    "Scale",
    "ShiftAndLogScale",
    "SigmoidAffine",
    "SplineBijector",
    "Squeeze",
    "Standardize",
    "SumOfSquares",
    "Sylvester",
    "channel_mask",
    "checkerboard_mask",
    "forward_and_log_det",
    "half_mask",
    "inverse_and_log_det",
    "random_permutation",
    "reversal",
]
