"""Masked autoregressive network (MADE)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
import tf_keras

from tfflows.networks.mlp import dropout as drop


def _mask(degrees_in, degrees_out, strict: bool) -> np.ndarray:
    """`[inputs, outputs]`: which inputs an output may see."""
    return (
        (degrees_out[None] > degrees_in[:, None])
        if strict
        else (degrees_out[None] >= degrees_in[:, None])
    )


class _MaskConstraint:
    """Projects a kernel onto its mask: for whoever reads the constraint of a variable."""

    def __init__(self, mask):
        self.mask = mask

    def __call__(self, kernel):
        return kernel * tf.constant(self.mask, kernel.dtype)


class AutoregressiveNetwork(tfp.bijectors.AutoregressiveNetwork):
    """MADE: `[batch, size]` to `[batch, size, params]`, output d a function of inputs < d.

    TFP's class keeps its masks in kernel constraints, which only a Keras 2 optimizer applies:
    trained by anything else, they dissolve and the flow stops being a density. Here each kernel
    is multiplied by its mask in `call`, so that no optimizer can undo them. Hidden units are
    sorted by degree. The last layer starts at zero. Always float32 or what `dtype` says, whatever
    the mixed-precision policy.

    Args:
      params: numbers per dimension.
      event_shape: size of the vector, an int or a sequence of one.
      hidden_units: size of each hidden layer (or of each residual block, all equal).
      activation: name of a Keras activation.
      residual: pre-activation residual blocks in place of plain layers.
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
        self._function = tf_keras.activations.get(activation)

    def build(self, input_shape):
        """Creates the variables: masks, kernels and biases of each layer."""
        size = self._event_size
        if input_shape[-1] != size:
            raise ValueError(f"x: expected [batch, {size}], got {tuple(input_shape)}")
        # Degree 0 sees nothing but the context; without one it would be a constant.
        first = 0 if self._conditional else min(1, size - 1)
        degrees = [np.arange(1, size + 1)]
        for units in self._hidden_units:
            spread = np.linspace(first, size - 1, units)
            degrees.append(np.sort(np.round(spread).astype(int)))
        if self._residual:
            blocks = len(self._hidden_units)
            pairs = [(degrees[0], degrees[1])] + [(degrees[1], degrees[1])] * (2 * blocks)
        else:
            pairs = list(zip(degrees[:-1], degrees[1:], strict=True))
        self._layers = [self._add_layer(i, *pair) for i, pair in enumerate(pairs)]
        self._last = self._add_layer(
            len(pairs), degrees[-1], np.repeat(degrees[0], self._params), strict=True
        )
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

    def _add_layer(self, index, degrees_in, degrees_out, strict=False):
        mask = _mask(degrees_in, degrees_out, strict)
        kernel = self.add_weight(
            name=f"kernel_{index}",
            shape=mask.shape,
            initializer="zeros" if strict else self._initializer(index),
            constraint=_MaskConstraint(mask),
        )
        bias = self.add_weight(name=f"bias_{index}", shape=[mask.shape[1]], initializer="zeros")
        return {"kernel": kernel, "bias": bias, "mask": mask}

    @staticmethod
    def _dense(layer, x):
        kernel = layer["kernel"] * tf.constant(layer["mask"], x.dtype)
        return tf.matmul(x, kernel) + layer["bias"]

    def call(self, x, context=None, conditional_input=None):
        """Returns `[batch, size, params]`.

        Args:
          x: `[batch, size]`.
          context: `[batch, *conditional_event_shape]` where the network is conditional.
          conditional_input: TFP's name for the same.
        """
        context = conditional_input if context is None else context
        if self._conditional and context is None:
            raise ValueError("context: the network is conditional and needs one, got None")
        x = tf.cast(x, self.compute_dtype)
        shape = tf.concat([tf.shape(x), [self._params]], 0)
        static = x.shape.concatenate([self._params])

        def hidden(index, value):
            value = self._dense(self._layers[index], value)
            if self._conditional:
                value += tf.matmul(tf.cast(context, value.dtype), self._context_kernels[index])
            return value

        if self._residual:
            x = hidden(0, x)
            for block in range(len(self._hidden_units)):
                h = self._function(hidden(1 + 2 * block, self._function(x)))
                x += hidden(2 + 2 * block, drop(h, self._dropout))
            x = self._function(x)
        else:
            for index in range(len(self._layers)):
                x = drop(self._function(hidden(index, x)), self._dropout)
        return tf.ensure_shape(tf.reshape(self._dense(self._last, x), shape), static)
