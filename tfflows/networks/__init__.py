"""Conditioner networks: layers that map part of an event to a bijector's parameters."""

from tfflows.networks.attention import GatedAttentionNet, GatedFeatureNet
from tfflows.networks.convolution import ConvNet, ResidualConvNet, WeightNormConv2D, ZeroConv2D
from tfflows.networks.graph import EdgeGraphNetwork, RelationalGraphNetwork
from tfflows.networks.integer_made import IntegerAutoregressiveNetwork
from tfflows.networks.lipschitz import LipschitzMLP
from tfflows.networks.made import AutoregressiveNetwork
from tfflows.networks.mlp import MLP, ResidualMLP
from tfflows.networks.quantized import CodeMLP, IntegerConvNet, IntegerMLP
from tfflows.networks.recurrent import FiniteDependencyNetwork, RecurrentNetwork
from tfflows.networks.transformer import Transformer
from tfflows.networks.vector_field import ConcatSquashMLP

__all__ = [
    "MLP",
    "AutoregressiveNetwork",
    "CodeMLP",
    "ConcatSquashMLP",
    "ConvNet",
    "EdgeGraphNetwork",
    "FiniteDependencyNetwork",
    "GatedAttentionNet",
    "GatedFeatureNet",
    "IntegerAutoregressiveNetwork",
    "IntegerConvNet",
    "IntegerMLP",
    "LipschitzMLP",
    "RecurrentNetwork",
    "RelationalGraphNetwork",
    "ResidualConvNet",
    "ResidualMLP",
    "Transformer",
    "WeightNormConv2D",
    "ZeroConv2D",
]
