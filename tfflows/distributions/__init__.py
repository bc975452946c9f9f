"""Base distributions of flows, and distributions of integers."""

from tfflows.distributions.base import Base, get
from tfflows.distributions.discretized import DiscretizedLogistic, DiscretizedLogisticMixture

__all__ = ["Base", "DiscretizedLogistic", "DiscretizedLogisticMixture", "get"]
