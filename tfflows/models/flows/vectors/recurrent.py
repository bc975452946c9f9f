"""Autoregressive flows whose networks step along the vector."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import stack
from tfflows.networks import FiniteDependencyNetwork, RecurrentNetwork


@keras.saving.register_keras_serializable("tfflows")
class RecurrentFlow(Family):
    """Autoregressive layers with a recurrent network, or one over the last few numbers.

    Sampling costs as much as one pass of the network.

    Args:
      layers: number of autoregressive layers.
      network: `recurrent`, or `finite` for a dependency on the last few numbers only.
      hidden_units: layers of gated recurrent units, or hidden layers of the finite network.
      last: how many numbers the finite network sees.
      map: `affine` or `spline`.
      bins: bins of each spline.
      bound: splines act on [-bound, bound]; log-scales stay within +-bound.
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      **kwargs: those of `Family`.

    Reference: Oliva et al., Transformation Autoregressive Networks, 2018.
    https://arxiv.org/abs/1801.09819
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=4,
        network="recurrent",
        hidden_units=(64,),
        last=3,
        map="spline",
        bins=8,
        bound=3.0,
        actnorm=True,
        linear="reverse",
    ):
        """See `Family`."""
        maps = {"affine": tb.Affine(bound), "spline": tb.RationalQuadraticSpline(bins, bound)}
        if map not in maps:
            raise ValueError(f"map: expected affine or spline, got {map!r}")
        if network not in ("recurrent", "finite"):
            raise ValueError(f"network: expected recurrent or finite, got {network!r}")

        def layer(index):
            keywords = {"seed": seed * 1000 + index, "name": f"{network}_{index}"}

            def build(params):
                if network == "recurrent":
                    return RecurrentNetwork(params, dim, hidden_units, **keywords)
                return FiniteDependencyNetwork(params, dim, last, hidden_units, **keywords)

            return tb.MaskedAutoregressive(
                dim,
                maps[map],
                build,
                context_shape=None if context_dim is None else (int(context_dim),),
                name=f"autoregressive_{index}",
            )

        return stack(dim, layers, linear, actnorm, seed, layer)
