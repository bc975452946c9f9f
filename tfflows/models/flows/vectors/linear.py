"""Linear flows."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.flows.family import no_context
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import mixers


@keras.saving.register_keras_serializable("tfflows")
class AffineFlow(Family):
    """One affine map with a full matrix: a multivariate Gaussian if the base is normal.

    Args:
      **kwargs: those of `Family`.
    """

    @staticmethod
    def layers_of(dim, context_dim, seed):
        """See `Family`."""
        no_context(context_dim)
        return [tb.FullAffine(dim)]


@keras.saving.register_keras_serializable("tfflows")
class LUFlow(Family):
    """Linear flow by LU factors, with a permutation: O(d^2) either way, O(d) log-determinant.

    Args:
      **kwargs: those of `Family`.
    """

    @staticmethod
    def layers_of(dim, context_dim, seed):
        """See `Family`."""
        no_context(context_dim)
        return [*mixers(dim, "permute", seed), tb.LULinear(dim)]


@keras.saving.register_keras_serializable("tfflows")
class QRFlow(Family):
    """Linear flow by QR factors: O(d^2) either way, O(d) log-determinant.

    Args:
      **kwargs: those of `Family`.
    """

    @staticmethod
    def layers_of(dim, context_dim, seed):
        """See `Family`."""
        no_context(context_dim)
        return [tb.QRLinear(dim, seed=seed)]
