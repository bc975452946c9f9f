"""Base distributions of flows."""

from tfflows.distributions.base import Base, get

__all__ = ["Base", "get"]
