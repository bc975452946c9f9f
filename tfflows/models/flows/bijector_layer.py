"""A bijector as a Keras layer, for users' own models."""

from __future__ import annotations

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows.bijectors import base as joint
from tfflows.tracking import AdoptedModule

tfb = tfp.bijectors


@keras.saving.register_keras_serializable("tfflows")
class BijectorLayer(AdoptedModule):
    """A bijector whose variables Keras sees inside any layer or model.

    Keras 3 tracks its own variables and layers. A bijector holds `tf.Variable`s, so as a plain
    attribute of a Keras layer it would never train, and no error would show it. This layer holds
    the bijector's variables as its own: they train, and are saved and loaded with the model.

        class Model(keras.Model):
            def __init__(self):
                super().__init__()
                self.flow = tfflows.BijectorLayer(tfflows.bijectors.LULinear(3))

            def call(self, y):
                z, log_det = self.flow(y)
                return -0.5 * tf.reduce_sum(z**2, -1) + log_det

    Args:
      bijector: any TFP bijector whose variables exist already; kept as the attribute `bijector`.
      **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, bijector: tfb.Bijector, **kwargs):
        if not isinstance(bijector, tfb.Bijector):
            raise ValueError(f"bijector: expected a TFP bijector, got {type(bijector).__name__}")
        super().__init__(bijector, **kwargs)
        self.bijector = bijector

    def call(self, y, context=None):
        """Latents `[batch, *latent]` of data `[batch, *event]`, and the log-determinant `[batch]`.

        Args:
          y: `[batch, *event]`.
          context: `[batch, *context_shape]` for a conditional bijector.
        """
        ndims = self.bijector.inverse_min_event_ndims
        return joint.inverse_and_log_det(self.bijector, tf.identity(y), ndims, context)

    def forward(self, x, context=None):
        """Data `[batch, *event]` of latents `[batch, *latent]`, and the forward log-determinant."""
        ndims = self.bijector.forward_min_event_ndims
        return joint.forward_and_log_det(self.bijector, tf.identity(x), ndims, context)
