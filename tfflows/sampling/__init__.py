"""Sampling from unnormalised densities with the help of a flow.

The chains are those of `tfp.mcmc`. This package adds a flow to them, either as the proposal
(`importance`, `independence_metropolis`) or as the space they move in (`precondition`), and Gibbs
sampling. `inpaint` completes images from a flow's own density.
"""

from tfflows.sampling.gibbs import Block, Gibbs
from tfflows.sampling.importance import Weighted, importance_sampling
from tfflows.sampling.independence import UncalibratedIndependence, independence_metropolis
from tfflows.sampling.inpainting import Inpainted, inpaint
from tfflows.sampling.transport import precondition

__all__ = [
    "Block",
    "Gibbs",
    "Inpainted",
    "UncalibratedIndependence",
    "Weighted",
    "importance_sampling",
    "independence_metropolis",
    "inpaint",
    "precondition",
]
