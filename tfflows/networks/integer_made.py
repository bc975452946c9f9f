"""A masked autoregressive network of 8-bit integers, with the same results on every machine."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tfflows.networks.made import AutoregressiveNetwork
from tfflows.networks.quantized import STEP, check_inputs, on_grid, quantized_weights


class IntegerAutoregressiveNetwork(AutoregressiveNetwork):
    """MADE over one-hot codes, with weights and hidden numbers of 8 bits.

    A pass over a whole vector and a generation number by number then compute the same bits. So both
    find the same output to be the largest. See `tfflows.networks.quantized`.

    Args:
      params: numbers for each entry of the vector.
      event_shape: size of the vector.
      features: length of each one-hot code.
      hidden_units: size of each hidden layer.
      seed: seed of the initial weights.
      **kwargs: passed to `AutoregressiveNetwork`.

    Raises:
      ValueError: if so many numbers enter a sum that float32 may round it.
    """

    def __init__(
        self,
        params: int,
        event_shape: int,
        features: int,
        hidden_units: Sequence[int] = (64, 64),
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(
            *(params, event_shape, hidden_units), features=features, seed=seed, **kwargs
        )
        self._function = lambda value: on_grid(value, 0)
        check_inputs("features", event_shape * features, f"{event_shape} codes x {features}")
        for units in hidden_units:
            check_inputs("hidden_units", units, f"{units} hidden units")

    def _initializer(self, salt):
        # Inputs reach 8, and a code has a single one.
        length = 0.25 if salt == 0 else 1.0
        seed = self._seed * 1009 + salt
        return tf_keras.initializers.VarianceScaling(2.0 * length**2, seed=seed)

    def _weights(self, layer):
        kernel, bias = quantized_weights(*super()._weights(layer))
        if layer is self._last:  # its sums have many terms, so a step of training moves them far
            kernel, bias = kernel * STEP, bias * STEP
        return kernel, bias

    def call(self, x, context=None, conditional_input=None):
        """Returns `[batch, size, params]` of one-hot codes `[batch, size * features]`."""
        return super().call(8.0 * x, context, conditional_input)

    def generate_codes(self, choose, x) -> tuple[tf.Tensor, tf.Tensor]:
        """As `generate`, for numbers 0 to `features - 1`, whose codes the network sees."""

        def encode(numbers):
            codes = tf.one_hot(tf.cast(numbers, tf.int32), self._features, axis=1)
            return 8.0 * tf.cast(codes, numbers.dtype)

        return self.generate(choose, x, encode=encode)
