"""Networks that parametrise the maps: layers from part of an event to a map's parameters."""

from tfflows.networks.made import AutoregressiveNetwork
from tfflows.networks.mlp import MLP, ResidualMLP

__all__ = ["MLP", "AutoregressiveNetwork", "ResidualMLP"]
