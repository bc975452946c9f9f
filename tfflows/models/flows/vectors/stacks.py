"""Layers of vector flows: couplings, autoregressions, and the mixers of dimensions between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tfflows import bijectors as tb
from tfflows.models.flows.family import context_shape_of
from tfflows.networks import MLP, AutoregressiveNetwork, ResidualMLP


def mixers(dim: int, linear: str, seed: int) -> list:
    """The bijectors that mix dimensions between two layers."""
    if dim == 1 or linear == "none":
        return []
    if linear == "reverse":
        return [tb.reversal(dim)]
    if linear == "permute":
        return [tb.random_permutation(dim, seed)]
    if linear == "lu":
        return [tb.random_permutation(dim, seed), tb.LULinear(dim)]
    raise ValueError(f"linear: expected none, reverse, permute or lu, got {linear!r}")


def stack(dim, layers, linear, actnorm, seed, layer) -> list:
    """Repeats ActNorm, a mixer and `layer(index)`, `layers` times."""
    if layers < 1:
        raise ValueError(f"layers: expected at least 1, got {layers}")
    stack = []
    for index in range(layers):
        stack += [tb.ActNorm(dim)] if actnorm else []
        stack += mixers(dim, linear, seed * 1000 + index)
        stack.append(layer(index))
    return stack


@dataclasses.dataclass(frozen=True)
class Conditioned:
    """Layers of elementwise maps, each with its own conditioner.

    Attributes:
      dim, context_dim: lengths of the data vector and of the context, which may be `None`.
      seed: seed of the family.
      autoregressive: masked autoregressions; couplings over alternating halves if false.
      hidden_units: hidden layers (or residual blocks) of each conditioner.
      residual, dropout, activation: of the conditioners.
    """

    dim: int
    context_dim: int | None
    seed: int
    autoregressive: bool
    hidden_units: Sequence[int]
    residual: bool = False
    dropout: float = 0.0
    activation: str = "relu"

    def layer(self, index: int, map: tb.ElementwiseMap) -> tb.Coupling | tb.MaskedAutoregressive:
        """Layer `index` of the stack."""
        make = self._autoregression if self.autoregressive else self._coupling
        return make(index, map)

    def stack(self, map: tb.ElementwiseMap, layers: int, linear: str, actnorm: bool) -> list:
        """`layers` layers of one map; see the function `stack`."""
        return stack(
            self.dim, layers, linear, actnorm, self.seed, lambda index: self.layer(index, map)
        )

    def _coupling(self, index, map):
        if self.dim < 2:
            raise ValueError(f"dim: a coupling needs at least 2, got {self.dim}")
        network = ResidualMLP if self.residual else MLP
        return tb.Coupling(
            np.arange(self.dim) % 2 == index % 2,  # even layers keep even positions
            map,
            lambda outputs: network(
                outputs,
                self.hidden_units,
                self.activation,
                dropout=self.dropout,
                seed=self.seed * 1000 + index,
            ),
            context_shape=context_shape_of(self.context_dim),
            name=f"coupling_{index}",
        )

    def _autoregression(self, index, map):
        return tb.MaskedAutoregressive(
            self.dim,
            map,
            lambda params: AutoregressiveNetwork(
                params,
                self.dim,
                self.hidden_units,
                activation=self.activation,
                residual=self.residual,
                dropout=self.dropout,
                conditional_event_shape=context_shape_of(self.context_dim),
                seed=self.seed * 1000 + index,
                name=f"made_{index}",
            ),
            context_shape=context_shape_of(self.context_dim),
            name=f"autoregressive_{index}",
        )
