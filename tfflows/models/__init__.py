"""Keras 3 models with one interface: `log_prob`, `sample`, `fit`, `evaluate`."""

from tfflows.models.affine import IAF, MAF, RealNVP
from tfflows.models.baselines import Gaussian, GaussianMixture
from tfflows.models.bijector_layer import BijectorLayer
from tfflows.models.density import DensityModel
from tfflows.models.dequantized import (
    DequantizedFlow,
    UniformDequantization,
    VariationalDequantization,
)
from tfflows.models.family import Family
from tfflows.models.flow import Flow
from tfflows.models.flow_plus_plus import FlowPlusPlus
from tfflows.models.free_form import FFJORD, ResidualFlow
from tfflows.models.glow import Glow
from tfflows.models.histogram import Histogram
from tfflows.models.image import ImageFamily
from tfflows.models.image_realnvp import ImageRealNVP
from tfflows.models.linear import AffineFlow, LUFlow, QRFlow
from tfflows.models.low_rank import HouseholderFlow, PlanarFlow, RadialFlow, SylvesterFlow
from tfflows.models.mixtures import AutoregressiveMixture, MixtureCDFFlow
from tfflows.models.neural import NAF, UMNN, SOSFlow
from tfflows.models.nice import NICE
from tfflows.models.partitioned import PartitionedRealNVP
from tfflows.models.recurrent import RecurrentFlow
from tfflows.models.spline import NSF

__all__ = [
    "AffineFlow",
    "AutoregressiveMixture",
    "BijectorLayer",
    "DensityModel",
    "DequantizedFlow",
    "FFJORD",
    "Family",
    "Flow",
    "FlowPlusPlus",
    "Gaussian",
    "GaussianMixture",
    "Glow",
    "Histogram",
    "HouseholderFlow",
    "IAF",
    "ImageFamily",
    "ImageRealNVP",
    "LUFlow",
    "MAF",
    "MixtureCDFFlow",
    "NAF",
    "NICE",
    "NSF",
    "PartitionedRealNVP",
    "PlanarFlow",
    "QRFlow",
    "RadialFlow",
    "RealNVP",
    "RecurrentFlow",
    "ResidualFlow",
    "SOSFlow",
    "SylvesterFlow",
    "UMNN",
    "UniformDequantization",
    "VariationalDequantization",
]
