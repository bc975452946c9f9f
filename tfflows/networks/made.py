"""Masked autoregressive network (MADE)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
import tf_keras

from tfflows.networks.mlp import dropout as drop
from tfflows.networks.one_pass import BlockedLayer, generate


def _mask(degrees, dtype) -> tf.Tensor:
    """Mask `[inputs, outputs]`: an output sees the inputs of no higher degree than its own."""
    # Computed from the degrees, so that a graph holds these few numbers and not a matrix.
    inputs, outputs = (tf.constant(d, tf.int32) for d in degrees)
    return tf.cast(inputs[:, tf.newaxis] <= outputs, dtype)


class _MaskConstraint:
    """Projects a kernel onto its mask, for code that reads the constraint of a variable."""

    def __init__(self, degrees):
        self.degrees = degrees

    def __call__(self, kernel):
        return kernel * _mask(self.degrees, kernel.dtype)


class AutoregressiveNetwork(tfp.bijectors.AutoregressiveNetwork):
    """MADE: `[batch, size]` to `[batch, size, params]`, output d a function of inputs < d.

    TFP's class keeps its masks in kernel constraints, which only a Keras 2 optimizer applies. With
    any other optimizer the masks are lost and the flow is no longer a density. Here `call`
    multiplies each kernel by its mask, so that no optimizer can undo the masks. Hidden units are
    sorted by degree. The last layer starts at zero. The network computes in float32, or in `dtype`
    if given, whatever the mixed-precision policy.

    Args:
      params: numbers per dimension.
      event_shape: size of the vector, an int or a sequence of one.
      features: how many inputs there are for each entry of the vector, such as the levels of a
        one-hot code; the network then maps `[batch, size * features]`.
      hidden_units: size of each hidden layer (or of each residual block, all equal).
      activation: name of a Keras activation.
      residual: use pre-activation residual blocks instead of plain layers.
      dropout: rate of dropout during training (after each layer, within each block).
      conditional_event_shape: size of a context, which every output may see, or `None`.
      seed: seed of the initial weights.
      **kwargs: passed to the Keras layer.

    Reference: Germain, Gregor, Murray & Larochelle, MADE, 2015. https://arxiv.org/abs/1502.03509
    """

    def __init__(
        self,
        params: int,
        event_shape,
        hidden_units: Sequence[int] = (128, 128),
        activation: str = "relu",
        residual: bool = False,
        dropout: float = 0.0,
        conditional_event_shape=None,
        seed: int = 0,
        features: int = 1,
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(
            params,
            event_shape=event_shape,
            conditional=conditional_event_shape is not None,
            conditional_event_shape=conditional_event_shape,
            hidden_units=list(hidden_units),
            activation=activation,
            **kwargs,
        )
        if residual and len(set(hidden_units)) != 1:
            raise ValueError(f"hidden_units: expected equal sizes, got {list(hidden_units)}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout: expected a rate in [0, 1), got {dropout}")
        self._residual, self._dropout, self._seed = residual, dropout, seed
        self._features = features
        self._function = tf_keras.activations.get(activation)

    def build(self, input_shape):
        """Creates the variables: masks, kernels and biases of each layer."""
        size = self._event_size
        inputs = size * self._features
        if input_shape[-1] != inputs:
            raise ValueError(f"x: expected [batch, {inputs}], got {tuple(input_shape)}")
        # Degree 0 sees nothing but the context; without one it would be a constant.
        first = 0 if self._conditional else min(1, size - 1)
        degrees = [np.repeat(np.arange(1, size + 1), self._features)]
        for units in self._hidden_units:
            spread = np.linspace(first, size - 1, units)
            degrees.append(np.sort(np.round(spread).astype(int)))
        if self._residual:
            blocks = len(self._hidden_units)
            pairs = [(degrees[0], degrees[1])] + [(degrees[1], degrees[1])] * (2 * blocks)
        else:
            pairs = list(zip(degrees[:-1], degrees[1:], strict=True))
        self._layers = [self._add_layer(i, *pair) for i, pair in enumerate(pairs)]
        # The parameters of a number see what is final when that number is decided. The first
        # parameters of all numbers come first, because a bijector works on one parameter of a row
        # at a time.
        before = np.tile(np.arange(size), self._params)
        self._last = self._add_layer(len(pairs), degrees[-1], before, "zeros")
        self._context_kernels = []
        if self._conditional:
            self._context_kernels = [
                self.add_weight(
                    name=f"context_{i}",
                    shape=[self._conditional_size, len(degrees_out)],
                    initializer=self._initializer(1000 + i),
                )
                for i, (_, degrees_out) in enumerate(pairs)
            ]
        self.built = True

    def _initializer(self, salt):
        return tf_keras.initializers.GlorotUniform(self._seed * 1009 + salt)

    def _add_layer(self, index, degrees_in, degrees_out, initializer=None):
        degrees = (degrees_in, degrees_out)
        kernel = self.add_weight(
            name=f"kernel_{index}",
            shape=[len(degrees_in), len(degrees_out)],
            initializer=initializer or self._initializer(index),
            constraint=_MaskConstraint(degrees),
        )
        bias = self.add_weight(name=f"bias_{index}", shape=[len(degrees_out)], initializer="zeros")
        return {"kernel": kernel, "bias": bias, "degrees": degrees}

    def _weights(self, layer):
        """The masked kernel of a layer, and its bias."""
        kernel = layer["kernel"] * _mask(layer["degrees"], layer["kernel"].dtype)
        return kernel, tf.convert_to_tensor(layer["bias"])

    def _context_terms(self, context, dtype) -> list:
        """What the context adds to each hidden layer, `[batch, units]`, or zeros."""
        if not self._conditional:
            return [0.0] * len(self._layers)
        if context is None:
            raise ValueError("context: the network is conditional and needs a context, got None")
        return [tf.matmul(tf.cast(context, dtype), kernel) for kernel in self._context_kernels]

    def _hidden(self, x, dense: Callable, drop: Callable):
        """The last hidden layer, given `dense(index, value)`, which applies a linear layer."""
        if not self._residual:
            for index in range(len(self._layers)):
                x = drop(self._function(dense(index, x)))
            return x
        x = dense(0, x)
        for block in range(len(self._hidden_units)):
            h = self._function(dense(1 + 2 * block, self._function(x)))
            x += dense(2 + 2 * block, drop(h))
        return self._function(x)

    def call(self, x, context=None, conditional_input=None):
        """Returns `[batch, size, params]`.

        Args:
          x: `[batch, size * features]`.
          context: `[batch, *conditional_event_shape]` if the network is conditional.
          conditional_input: TFP's name for `context`.
        """
        context = conditional_input if context is None else context
        x = tf.cast(x, self.compute_dtype)
        shape = [self._params, self._event_size]
        static = x.shape[:-1].concatenate(shape)
        shape = tf.concat([tf.shape(x)[:-1], shape], 0)
        terms = self._context_terms(context, x.dtype)

        def dense(index, value):
            kernel, bias = self._weights(self._layers[index])
            return tf.matmul(value, kernel) + bias + terms[index]

        x = self._hidden(x, dense, lambda value: drop(value, self._dropout))
        kernel, bias = self._weights(self._last)
        x = tf.matmul(x, kernel) + bias
        return tf.linalg.matrix_transpose(tf.ensure_shape(tf.reshape(x, shape), static))

    def generate(
        self, choose: Callable, x, context=None, encode: Callable | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Generates a vector one number at a time, for about the cost of one `call`.

        The result equals that of `size` calls, each of which fixes one more number. Dropout is off.

        Args:
          choose: function from `(parameters [batch, params], x [batch])` of a dimension to its
            value and log-determinant, `[batch]` each.
          x: `[batch, size]`: the second argument of `choose`.
          context: `[batch, *conditional_event_shape]` if the network is conditional.
          encode: function from numbers `[n, batch]` to their inputs, `[n, features, batch]`; by
            default a number is its own input.

        Returns:
          The vector `[batch, size]`, and the sum of the log-determinants, `[batch]`.
        """
        terms = self._context_terms(context, self.compute_dtype)
        layers = []
        for layer, term in zip([*self._layers, self._last], [*terms, 0.0], strict=True):
            kernel, bias = self._weights(layer)
            bias = tf.transpose(tf.zeros([1, 1], bias.dtype) + bias + term)
            layers.append(BlockedLayer(tf.transpose(kernel), bias, layer["degrees"]))

        def hidden(x, dense):
            return self._hidden(x, dense, lambda value: value)

        return generate(layers, hidden, choose, x, encode)
