"""Neural spline flows."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.family import Family, stack_of_map


@keras.saving.register_keras_serializable("tfflows")
class NSF(Family):
    """Neural spline flow: rational-quadratic splines, by coupling or autoregression.

    Args:
      layers: number of layers.
      autoregressive: masked autoregression in place of coupling.
      hidden_units: hidden layers (or residual blocks) of each network.
      bins: bins of each spline.
      bound: the splines act on [-bound, bound].
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      residual: residual networks.
      dropout: rate of dropout in the networks during training.
      **kwargs: those of `Family`.

    Reference: Durkan, Bekasov, Murray & Papamakarios, 2019. https://arxiv.org/abs/1906.04032
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=5,
        autoregressive=False,
        hidden_units=(128, 128),
        bins=8,
        bound=3.0,
        actnorm=False,
        linear="none",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""
        return stack_of_map(
            tb.RationalQuadraticSpline(bins, bound),
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
        )
