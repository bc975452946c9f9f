"""Flows whose elementwise map is affine: RealNVP, MAF and IAF."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import Conditioned, stack


@keras.saving.register_keras_serializable("tfflows")
class RealNVP(Family):
    """Affine couplings with alternating masks.

    Args:
      layers: number of couplings.
      hidden_units: hidden layers of each conditioner.
      activation: activation of the conditioners. `"tanh"` bounds shifts and scales, so that a row
        far from the training rows cannot grow from layer to layer.
      bound: log-scales stay within +-bound.
      actnorm: an ActNorm before each coupling.
      linear: what mixes dimensions before each coupling: none, reverse, permute or lu.
      residual: residual conditioners.
      dropout: rate of dropout in the conditioners during training.
      **kwargs: those of `Family`.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016.
    https://arxiv.org/abs/1605.08803
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=8,
        hidden_units=(128, 128),
        activation="relu",
        bound=2.0,
        actnorm=True,
        linear="none",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""
        conditioned = Conditioned(
            dim, context_dim, seed, False, hidden_units, residual, dropout, activation
        )
        map = tb.Affine(bound)
        return conditioned.stack(map, layers, linear, actnorm)


@keras.saving.register_keras_serializable("tfflows")
class MAF(Family):
    """Masked autoregressive flow: affine autoregressive layers.

    Args:
      layers: number of autoregressive layers.
      hidden_units: hidden layers (or residual blocks) of each masked network.
      activation: activation of the masked networks.
      bound: log-scales stay within +-bound.
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      residual: residual masked networks.
      dropout: rate of dropout in the networks during training.
      **kwargs: those of `Family`.

    Reference: Papamakarios, Pavlakou & Murray, 2017. https://arxiv.org/abs/1705.07057
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=5,
        hidden_units=(128, 128),
        activation="relu",
        bound=2.0,
        actnorm=True,
        linear="reverse",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""
        conditioned = Conditioned(
            dim, context_dim, seed, True, hidden_units, residual, dropout, activation
        )
        map = tb.Affine(bound)
        return conditioned.stack(map, layers, linear, actnorm)


@keras.saving.register_keras_serializable("tfflows")
class IAF(Family):
    """Inverse autoregressive flow: one pass per layer to sample, `dim` to score given data.

    Args:
      layers: number of autoregressive layers.
      hidden_units: hidden layers of each masked network.
      activation: activation of the masked networks.
      bound: log-scales stay within +-bound.
      **kwargs: those of `Family`.

    Reference: Kingma et al., 2016. https://arxiv.org/abs/1606.04934
    """

    @staticmethod
    def layers_of(
        dim, context_dim, seed, layers=5, hidden_units=(128, 128), activation="tanh", bound=5.0
    ):
        """See `Family`."""
        conditioned = Conditioned(dim, context_dim, seed, True, hidden_units, activation=activation)

        def layer(index):
            return tb.Invert(conditioned.layer(index, tb.Affine(bound)))

        return stack(dim, layers, "reverse", False, seed, layer)
