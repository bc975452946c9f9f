"""Sampling from unnormalised densities with the help of a flow.

The chains are those of `tfp.mcmc`; here is what a flow adds to them, as a proposal (`importance`,
`independence_metropolis`) or as the space that they move in (`precondition`), and Gibbs sampling.
"""

from tfflows.sampling.gibbs import Block, Gibbs
from tfflows.sampling.importance import Weighted, importance_sampling
from tfflows.sampling.independence import UncalibratedIndependence, independence_metropolis
from tfflows.sampling.transport import precondition

__all__ = [
    "Block",
    "Gibbs",
    "UncalibratedIndependence",
    "Weighted",
    "importance_sampling",
    "independence_metropolis",
    "precondition",
]
