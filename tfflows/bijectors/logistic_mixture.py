"""Flow++'s elementwise map: a mixture's CDF, its logit, then a scale and shift."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors.chain import Chain, Invert
from tfflows.bijectors.elementwise import ShiftAndLogScale, bounded, check_bound, each_parameter
from tfflows.bijectors.mixture_cdf import MixtureCDF

tfb = tfp.bijectors


class LogisticMixtureAffine:
    """`x = logit(F(y)) exp(s) + t` from data to latent, with `F` a logistic mixture's CDF.

    `2 + 3 components` parameters per dimension: `t`, raw `s`, and those of `MixtureCDF`.

    Args:
      components: number of logistics in the mixture.
      bound: `s` stays within +-bound.

    Reference: Ho et al., Flow++, 2019 (section 3.2). https://arxiv.org/abs/1902.00275
    """

    def __init__(self, components: int = 32, bound: float = 2.0):
        self._mixture = MixtureCDF(components, "logistic", "logistic")
        self.bound = check_bound(bound)
        self.parameters = 2 + self._mixture.parameters

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., 2 + 3 K]` into the map."""
        # Split, not slice: the gradient of a slice is padded with zeros to the whole array.
        scale, mixture = tf.split(parameters, [2, self._mixture.parameters], axis=-1)
        shift, raw = each_parameter(scale)
        affine = Invert(ShiftAndLogScale(shift, bounded(raw, self.bound)))
        return Chain([self._mixture(mixture), affine])
