"""Fully connected conditioners, with context and dropout."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfflows.random import next_noise_seed


def dropout(x: tf.Tensor, rate: float) -> tf.Tensor:
    """Drops entries of `x` during training, with noise that is a function of (seed, step)."""
    seed = next_noise_seed() if rate else None
    if seed is None:
        return x
    # Philox is named because the default algorithm may change under XLA.
    return tf.nn.experimental.stateless_dropout(x, rate, seed, rng_alg="philox")


class _Conditioner(keras.layers.Layer):
    """Base class of the conditioners: seeded layers, an added context, a last layer at zero."""

    def __init__(self, outputs, hidden_units, activation, dropout_rate, seed, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 <= dropout_rate < 1.0:
            raise ValueError(f"dropout: expected a rate in [0, 1), got {dropout_rate}")
        self.outputs, self.hidden_units = outputs, tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.dropout, self.seed = dropout_rate, seed
        self.last = self._dense(outputs, kernel_initializer="zeros")

    def _dense(self, units, salt=0, **kwargs):
        kwargs.setdefault(
            "kernel_initializer", keras.initializers.GlorotUniform(self.seed * 1009 + salt)
        )
        return keras.layers.Dense(units, dtype=self.dtype_policy, **kwargs)

    @staticmethod
    def _build_all(layers, shape):
        for layer in layers:
            layer.build(shape)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "outputs": self.outputs,
            "hidden_units": list(self.hidden_units),
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable("tfflows")
class MLP(_Conditioner):
    """Multilayer perceptron from `[batch, inputs]` to `[batch, outputs]`, initially zero.

    A context `[batch, size]` enters every hidden layer through a matrix of its own.

    Args:
      outputs: size of the output.
      hidden_units: size of each hidden layer.
      activation: Keras activation of the hidden layers.
      dropout: rate of dropout after each hidden layer, during training.
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(
        self,
        outputs: int,
        hidden_units: Sequence[int] = (128, 128),
        activation="relu",
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(outputs, hidden_units, activation, dropout, seed, **kwargs)
        self.hidden = [self._dense(units, salt=i) for i, units in enumerate(self.hidden_units)]
        self.contexts = []

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights; those for the context only if there is one."""
        shape = tuple(inputs_shape)
        for layer in (*self.hidden, self.last):
            layer.build(shape)
            shape = (*shape[:-1], layer.units)
        if context_shape is not None:
            self.contexts = [
                self._dense(units, salt=500 + i, use_bias=False)
                for i, units in enumerate(self.hidden_units)
            ]
            self._build_all(self.contexts, context_shape)

    def call(self, inputs, context=None):
        """Returns `[batch, outputs]`."""
        x = inputs
        for index, hidden in enumerate(self.hidden):
            x = hidden(x)
            if self.contexts:
                x += self.contexts[index](context)
            x = dropout(self.activation(x), self.dropout)
        return self.last(x)


@keras.saving.register_keras_serializable("tfflows")
class ResidualMLP(_Conditioner):
    """Residual network of pre-activation blocks from `[batch, inputs]` to `[batch, outputs]`.

    Each block is `x + W2 drop(act(W1 act(x) + V context))`. The output is initially zero.

    Args:
      outputs: size of the output.
      hidden_units: size of each block, all equal.
      activation: Keras activation.
      dropout: rate of dropout within each block, during training.
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Raises:
      ValueError: if the hidden sizes differ.

    Reference: He et al., Identity Mappings in Deep Residual Networks, 2016.
    https://arxiv.org/abs/1603.05027
    """

    def __init__(
        self,
        outputs: int,
        hidden_units: Sequence[int] = (128, 128),
        activation="relu",
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(outputs, hidden_units, activation, dropout, seed, **kwargs)
        if len(set(self.hidden_units)) != 1:
            raise ValueError(f"hidden_units: expected equal sizes, got {list(self.hidden_units)}")
        units, blocks = self.hidden_units[0], len(self.hidden_units)
        self.first = self._dense(units, salt=100)
        self.expand = [self._dense(units, salt=200 + i) for i in range(blocks)]
        # No bias: the next layer's bias can add the same.
        self.contract = [self._dense(units, salt=400 + i, use_bias=False) for i in range(blocks)]
        self.contexts = []

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights; those for the context only if there is one."""
        shape = (*tuple(inputs_shape)[:-1], self.hidden_units[0])
        self.first.build(inputs_shape)
        self._build_all((*self.expand, *self.contract, self.last), shape)
        if context_shape is not None:
            self.contexts = [
                self._dense(self.hidden_units[0], salt=300 + i, use_bias=False)
                for i in range(1 + len(self.expand))
            ]
            self._build_all(self.contexts, context_shape)

    def call(self, inputs, context=None):
        """Returns `[batch, outputs]`."""
        x = self.first(inputs)
        if self.contexts:
            x += self.contexts[-1](context)
        for index, (expand, contract) in enumerate(zip(self.expand, self.contract, strict=True)):
            h = expand(self.activation(x))
            if self.contexts:
                h += self.contexts[index](context)
            x += contract(dropout(self.activation(h), self.dropout))
        return self.last(self.activation(x))
