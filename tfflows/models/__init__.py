"""Keras 3 models with one interface: `log_prob`, `sample`, `fit`, `evaluate`."""

from tfflows.models.baselines.gaussian import Gaussian
from tfflows.models.baselines.histogram import Histogram
from tfflows.models.baselines.mixture import GaussianMixture
from tfflows.models.density import DensityModel
from tfflows.models.discrete.categorical import CategoricalFlow
from tfflows.models.discrete.images import ImageIntegerDiscreteFlow
from tfflows.models.discrete.modular import DiscreteFlow
from tfflows.models.discrete.vectors import IntegerDiscreteFlow
from tfflows.models.flows.bijector_layer import BijectorLayer
from tfflows.models.flows.dequantized import (
    DequantizedFlow,
    UniformDequantization,
    VariationalDequantization,
)
from tfflows.models.flows.flow import Flow
from tfflows.models.flows.images.family import ImageFamily
from tfflows.models.flows.images.flow_plus_plus import FlowPlusPlus
from tfflows.models.flows.images.glow import Glow
from tfflows.models.flows.images.nice import NICE
from tfflows.models.flows.images.partitioned import PartitionedRealNVP
from tfflows.models.flows.images.realnvp import ImageRealNVP
from tfflows.models.flows.vectors.affine import IAF, MAF, RealNVP
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.free_form import FFJORD, ResidualFlow
from tfflows.models.flows.vectors.linear import AffineFlow, LUFlow, QRFlow
from tfflows.models.flows.vectors.low_rank import (
    HouseholderFlow,
    PlanarFlow,
    RadialFlow,
    SylvesterFlow,
)
from tfflows.models.flows.vectors.mixtures import AutoregressiveMixture, MixtureCDFFlow
from tfflows.models.flows.vectors.neural import NAF, UMNN, SOSFlow
from tfflows.models.flows.vectors.recurrent import RecurrentFlow
from tfflows.models.flows.vectors.spline import NSF
from tfflows.models.graphs.graph_cnf import GraphCNF
from tfflows.models.graphs.node_cnf import NodeCNF

__all__ = [
    "AffineFlow",
    "AutoregressiveMixture",
    "BijectorLayer",
    "CategoricalFlow",
    "DensityModel",
    "DequantizedFlow",
    "DiscreteFlow",
    "FFJORD",
    "Family",
    "Flow",
    "FlowPlusPlus",
    "Gaussian",
    "GaussianMixture",
    "Glow",
    "GraphCNF",
    "Histogram",
    "HouseholderFlow",
    "IAF",
    "ImageFamily",
    "ImageIntegerDiscreteFlow",
    "ImageRealNVP",
    "IntegerDiscreteFlow",
    "LUFlow",
    "MAF",
    "MixtureCDFFlow",
    "NAF",
    "NICE",
    "NSF",
    "NodeCNF",
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
