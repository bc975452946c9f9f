"""Flows through the CDFs of mixtures."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.flows.family import no_context
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import Conditioned


@keras.saving.register_keras_serializable("tfflows")
class MixtureCDFFlow(Family):
    """Maps each dimension through the CDF of its own mixture, independently of the others.

    Latents follow `base`. Uniform and Beta bases use the CDF itself, a normal base uses the normal
    quantile of the CDF.

    Args:
      components: number of mixture components.
      component: `"normal"` or `"logistic"`.
      **kwargs: those of `Family`.
    """

    default_base = "uniform"

    def __init__(self, dim=1, components=5, component="normal", base="uniform", **kwargs):
        target = "normal" if base == "normal" else "uniform"
        super().__init__(
            dim, base=base, components=components, component=component, target=target, **kwargs
        )
        del self._config["target"]

    @staticmethod
    def layers_of(dim, context_dim, seed, components, component, target):
        """See `Family`."""
        no_context(context_dim)
        return [tb.Elementwise(tb.MixtureCDF(components, component, target), dim)]


@keras.saving.register_keras_serializable("tfflows")
class AutoregressiveMixture(Family):
    """Models each dimension as a mixture whose parameters depend on the dimensions before it.

    The latents are the conditional CDFs, uniform on [0, 1]. With two dimensions and five
    components it is the two-dimensional autoregressive flow of the textbooks.

    Args:
      components: number of mixture components.
      component: `"normal"` or `"logistic"`.
      hidden_units: hidden layers of the masked network.
      **kwargs: those of `Family`.
    """

    default_base = "uniform"

    @staticmethod
    def layers_of(
        dim, context_dim, seed, components=5, component="normal", hidden_units=(128, 128)
    ):
        """See `Family`."""
        map = tb.MixtureCDF(components, component, target="uniform")
        return [Conditioned(dim, context_dim, seed, True, hidden_units).layer(0, map)]
