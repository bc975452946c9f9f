"""Flows with their own kinds of monotonic elementwise maps: NAF, SOS and UMNN."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import Conditioned, stack


@keras.saving.register_keras_serializable("tfflows")
class NAF(Family):
    """Neural autoregressive flow: deep sigmoidal maps, by autoregression or coupling.

    Args:
      layers: number of layers of the flow.
      autoregressive: masked autoregression; coupling if false.
      hidden_units: hidden layers (or residual blocks) of each network.
      units: sigmoids in a layer of the map.
      depth: layers of the map.
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      residual: residual networks.
      dropout: rate of dropout in the networks during training.
      **kwargs: those of `Family`.

    Reference: Huang, Krueger, Lacoste & Courville, 2018. https://arxiv.org/abs/1804.00779
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=5,
        autoregressive=True,
        hidden_units=(128, 128),
        units=8,
        depth=1,
        actnorm=True,
        linear="reverse",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""
        map = tb.DeepSigmoidal(units, depth)
        conditioned = Conditioned(
            dim, context_dim, seed, autoregressive, hidden_units, residual, dropout
        )
        return conditioned.stack(map, layers, linear, actnorm)


@keras.saving.register_keras_serializable("tfflows")
class SOSFlow(Family):
    """Sum-of-squares polynomial flow, by autoregression or coupling.

    Args:
      layers: number of layers.
      autoregressive: masked autoregression; coupling if false.
      hidden_units: hidden layers (or residual blocks) of each network.
      degree: degree of the polynomials that are squared.
      terms: number of squares.
      bound: the polynomials act on [-bound, bound].
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      residual: residual networks.
      dropout: rate of dropout in the networks during training.
      **kwargs: those of `Family`.

    Reference: Jaini, Selby & Yu, 2019. https://arxiv.org/abs/1905.02325
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=5,
        autoregressive=True,
        hidden_units=(128, 128),
        degree=3,
        terms=3,
        bound=4.0,
        actnorm=True,
        linear="reverse",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""
        map = tb.SumOfSquares(degree, terms, bound)
        conditioned = Conditioned(
            dim, context_dim, seed, autoregressive, hidden_units, residual, dropout
        )
        return conditioned.stack(map, layers, linear, actnorm)


@keras.saving.register_keras_serializable("tfflows")
class UMNN(Family):
    """Unconstrained monotonic neural network flow, by autoregression or coupling.

    Args:
      layers: number of layers, each with an integrand of its own.
      autoregressive: masked autoregression; coupling if false.
      hidden_units: hidden layers (or residual blocks) of each network.
      embedding: length of the embedding of a dimension.
      integrand_units: hidden layers of the integrands.
      nodes: number of points at which an integrand is evaluated.
      bound: the integrands are integrated over [-bound, bound].
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      residual: residual networks.
      dropout: rate of dropout in the networks during training.
      **kwargs: those of `Family`.

    Reference: Wehenkel & Louppe, 2019. https://arxiv.org/abs/1908.05164
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=5,
        autoregressive=True,
        hidden_units=(128, 128),
        embedding=16,
        integrand_units=(32, 32),
        nodes=16,
        bound=4.0,
        actnorm=True,
        linear="reverse",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""
        conditioned = Conditioned(
            dim, context_dim, seed, autoregressive, hidden_units, residual, dropout
        )

        def layer(index):
            map = tb.MonotonicIntegral(
                embedding,
                integrand_units,
                nodes,
                bound,
                seed=seed * 1000 + index,
                name=f"integrand_{index}",
            )
            return conditioned.layer(index, map)

        return stack(dim, layers, linear, actnorm, seed, layer)
