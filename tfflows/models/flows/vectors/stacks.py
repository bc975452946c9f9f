"""Layers of vector flows: couplings, autoregressions, and the mixers of dimensions between them."""

from __future__ import annotations

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


def _mask(dim: int, index: int) -> np.ndarray:
    """Alternating halves: even layers keep even positions, odd layers keep odd ones."""
    if dim < 2:
        raise ValueError(f"dim: a coupling needs at least 2, got {dim}")
    return np.arange(dim) % 2 == index % 2


def coupling_layer(
    dim, index, map, hidden_units, residual, dropout, context_dim, seed, activation="relu"
) -> tb.Coupling:
    """The coupling of layer `index`, over alternating halves."""
    network = ResidualMLP if residual else MLP
    return tb.Coupling(
        _mask(dim, index),
        map,
        lambda outputs: network(
            outputs, hidden_units, activation, dropout=dropout, seed=seed * 1000 + index
        ),
        context_shape=context_shape_of(context_dim),
        name=f"coupling_{index}",
    )


def autoregressive_layer(
    dim, index, map, hidden_units, residual, dropout, context_dim, seed, activation="relu"
) -> tb.MaskedAutoregressive:
    """The masked autoregression of layer `index`."""
    return tb.MaskedAutoregressive(
        dim,
        map,
        lambda params: AutoregressiveNetwork(
            params,
            dim,
            hidden_units,
            activation=activation,
            residual=residual,
            dropout=dropout,
            conditional_event_shape=context_shape_of(context_dim),
            seed=seed * 1000 + index,
            name=f"made_{index}",
        ),
        context_shape=context_shape_of(context_dim),
        name=f"autoregressive_{index}",
    )


def stack_of_map(
    map,
    dim,
    context_dim,
    seed,
    layers,
    autoregressive,
    hidden_units,
    actnorm,
    linear,
    residual,
    dropout,
    activation="relu",
) -> list:
    """`layers` layers of one elementwise map, each a coupling or a masked autoregression."""
    make = autoregressive_layer if autoregressive else coupling_layer

    def layer(index):
        return make(dim, index, map, hidden_units, residual, dropout, context_dim, seed, activation)

    return stack(dim, layers, linear, actnorm, seed, layer)
