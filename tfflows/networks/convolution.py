"""Convolutional conditioners for images: Glow's three layers and RealNVP's residual network."""

from __future__ import annotations

import keras
import tensorflow as tf

from tfflows.networks.mlp import dropout as _dropout


class Convolution(keras.layers.Conv2D):
    """A convolution that keeps height and width.

    TensorFlow's own operation adds the bias. On CPUs a convolution fuses with that operation and
    the activation that follows, but not with Keras's broadcast sum. A 1 x 1 kernel is applied as a
    matrix product, which starts up in half the time.

    Args:
      filters: channels of the output.
      kernel_size: side of the kernel.
      **kwargs: passed to `keras.layers.Conv2D`.
    """

    def __init__(self, filters: int, kernel_size: int, **kwargs):
        super().__init__(filters, kernel_size, padding="same", **kwargs)

    def call(self, inputs, relu: bool = False):
        """Returns `[batch, H, W, filters]`, after a ReLU if `relu`."""
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        pointwise = kernel.shape[:2] == (1, 1)
        if pointwise:
            result = tf.matmul(tf.reshape(inputs, [-1, kernel.shape[2]]), kernel[0, 0])
        else:
            result = tf.nn.conv2d(inputs, kernel, 1, "SAME")
        result = tf.nn.bias_add(result, bias)
        result = tf.nn.relu(result) if relu else result
        if not pointwise:
            return result
        return tf.reshape(result, [-1, *inputs.shape[1:3], self.filters])


@keras.saving.register_keras_serializable("tfflows")
class WeightNormConv2D(keras.layers.Layer):
    """A convolution whose kernels are a direction times a length: `w = g v / |v|`.

    Args:
      filters: channels of the output.
      kernel_size: side of the kernel.
      initial_length: initial length of each kernel; by default that of `v` as drawn.
      seed: seed of the directions.
      **kwargs: passed to `keras.layers.Layer`.

    Reference: Salimans & Kingma, Weight Normalization, 2016. https://arxiv.org/abs/1602.07868
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        initial_length: float | None = None,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size = filters, kernel_size
        self.initial_length, self.seed = initial_length, seed

    def build(self, inputs_shape):
        """Creates direction, length and bias."""
        shape = (self.kernel_size, self.kernel_size, inputs_shape[-1], self.filters)
        draw = keras.initializers.HeNormal(self.seed)(shape)
        # The norm is taken in float32, whatever the layer's compute dtype.
        self.direction = self.add_weight(
            name="direction",
            shape=shape,
            initializer=lambda shape, dtype=None: tf.cast(draw, dtype),
            autocast=False,
        )
        length = tf.norm(tf.reshape(draw, [-1, self.filters]), axis=0)
        if self.initial_length is not None:
            length = tf.fill([self.filters], float(self.initial_length))
        self.length = self.add_weight(
            name="length",
            shape=(self.filters,),
            initializer=lambda shape, dtype=None: tf.cast(length, dtype),
            autocast=False,
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs):
        """Returns `[batch, H, W, filters]`."""
        direction = tf.convert_to_tensor(self.direction)
        squares = tf.reduce_sum(tf.square(direction), [0, 1, 2])
        kernel = direction * (self.length * tf.math.rsqrt(squares + 1e-12))
        result = tf.nn.conv2d(inputs, tf.cast(kernel, inputs.dtype), 1, "SAME")
        return tf.nn.bias_add(result, tf.cast(self.bias, inputs.dtype))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "initial_length": self.initial_length,
            "seed": self.seed,
        }


class _ImageConditioner(keras.layers.Layer):
    """Base class of the networks: seeded layers, and a context added to hidden channels.

    A context is a vector `[batch, size]`, the same at every position, or features
    `[batch, H, W, size]`, one for each position.
    """

    def __init__(self, outputs, width, dropout, seed, **kwargs):
        super().__init__(**kwargs)
        if width < 1:
            raise ValueError(f"width: expected at least 1, got {width}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout: expected a rate in [0, 1), got {dropout}")
        self.outputs, self.width, self.dropout, self.seed = outputs, width, dropout, seed
        self.contexts = []

    def _convolution(self, filters, kernel_size=3, salt=0, **kwargs):
        kwargs.setdefault("kernel_initializer", keras.initializers.HeNormal(self._seed(salt)))
        return Convolution(filters, kernel_size, dtype=self.dtype_policy, **kwargs)

    def _weight_norm(self, filters, kernel_size=3, salt=0, **kwargs):
        return WeightNormConv2D(
            filters, kernel_size, seed=self._seed(salt), dtype=self.dtype_policy, **kwargs
        )

    def _seed(self, salt):
        return self.seed * 1009 + salt

    def _build_contexts(
        self, count, inputs_shape, context_shape, use_bias=False, weight_norm=False
    ):
        """Builds `count` projections of the context, if there is one, to hidden channels."""
        if context_shape is None:
            return
        if len(context_shape) == 4 and tuple(context_shape[1:3]) != tuple(inputs_shape[1:3]):
            raise ValueError(
                f"context: expected features of {inputs_shape[1]} x {inputs_shape[2]} positions, "
                f"got {context_shape[1]} x {context_shape[2]}"
            )
        if weight_norm:
            self.contexts = [
                self._weight_norm(self.width, 1, salt=500 + i, initial_length=1.0)
                for i in range(count)
            ]
            context_shape = (None, 1, 1, context_shape[-1])
        else:
            self.contexts = self._dense_contexts(count, use_bias)
        for layer in self.contexts:
            layer.build(context_shape)

    def _dense_contexts(self, count, use_bias):
        return [
            keras.layers.Dense(
                self.width,
                use_bias=use_bias,
                kernel_initializer=keras.initializers.GlorotUniform(self._seed(500 + i)),
                dtype=self.dtype_policy,
            )
            for i in range(count)
        ]

    def _add_context(self, index, hidden, context):
        """Adds the projected context, if there is one, to the channels of `hidden`."""
        if not self.contexts:
            return hidden
        if isinstance(self.contexts[index], WeightNormConv2D) and context.shape.rank == 2:
            context = context[:, tf.newaxis, tf.newaxis]
        added = self.contexts[index](context)
        return hidden + (added if added.shape.rank == 4 else added[:, tf.newaxis, tf.newaxis])

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "outputs": self.outputs,
            "width": self.width,
            "dropout": self.dropout,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable("tfflows")
class ZeroConv2D(keras.layers.Layer):
    """A 3 x 3 convolution that starts at zero, with a factor `exp(3 s)` for each channel.

    Args:
      outputs: channels of the output.
      **kwargs: passed to `keras.layers.Layer`.

    Reference: Kingma & Dhariwal, Glow, 2018 (section 3.3). https://arxiv.org/abs/1807.03039
    """

    def __init__(self, outputs: int, **kwargs):
        super().__init__(**kwargs)
        self.outputs = outputs
        self.convolution = Convolution(
            outputs, 3, kernel_initializer="zeros", dtype=self.dtype_policy
        )

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights."""
        self.convolution.build(inputs_shape)
        self.log_scale = self.add_weight(
            name="log_scale", shape=(self.outputs,), initializer="zeros"
        )

    def call(self, inputs, context=None):
        """Returns `[batch, H, W, outputs]`; the context is ignored."""
        # Apply the factors to the weights, which are fewer than the outputs.
        scale = tf.exp(3.0 * tf.convert_to_tensor(self.log_scale))
        kernel, bias = (
            tf.convert_to_tensor(v) for v in (self.convolution.kernel, self.convolution.bias)
        )
        return tf.nn.bias_add(tf.nn.conv2d(inputs, kernel * scale, 1, "SAME"), bias * scale)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "outputs": self.outputs}


@keras.saving.register_keras_serializable("tfflows")
class ConvNet(_ImageConditioner):
    """Glow's conditioner: 3 x 3, 1 x 1 and 3 x 3 convolutions, initially zero.

    The last layer starts at zero and has, besides its kernel, a factor `exp(3 s)` for each channel.

    Args:
      outputs: channels of the output.
      width: hidden channels.
      dropout: rate of dropout after each hidden layer, during training.
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Reference: Kingma & Dhariwal, Glow, 2018 (appendix B). https://arxiv.org/abs/1807.03039
    """

    def __init__(
        self, outputs: int, width: int = 512, dropout: float = 0.0, seed: int = 0, **kwargs
    ):
        super().__init__(outputs, width, dropout, seed, **kwargs)
        self.first = self._convolution(width, 3, salt=0)
        self.middle = self._convolution(width, 1, salt=1)
        self.last = ZeroConv2D(outputs, dtype=self.dtype_policy)

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights; those for the context only if there is one."""
        hidden = (*tuple(inputs_shape)[:-1], self.width)
        self.first.build(inputs_shape)
        self.middle.build(hidden)
        self.last.build(hidden)
        self._build_contexts(2, inputs_shape, context_shape)

    def call(self, inputs, context=None):
        """Returns `[batch, H, W, outputs]`."""
        x = inputs
        for index, layer in enumerate((self.first, self.middle)):
            if self.contexts:
                x = tf.nn.relu(self._add_context(index, layer(x), context))
            else:
                x = layer(x, relu=True)
            x = _dropout(x, self.dropout)
        return self.last(x)


@keras.saving.register_keras_serializable("tfflows")
class ResidualConvNet(_ImageConditioner):
    """RealNVP's conditioner: a residual network of weight-normalised convolutions, initially zero.

    Each block is `x + W2 relu(W1 relu(x) + V context)` with 3 x 3 kernels. Every block also adds to
    the last layer's input, through its own 1 x 1 convolution. The last layer has a learned length
    for each of its kernels, which starts at zero.

    Args:
      outputs: channels of the output.
      width: hidden channels.
      blocks: number of residual blocks.
      dropout: rate of dropout within each block, during training.
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016 (section 4.1).
    https://arxiv.org/abs/1605.08803
    """

    def __init__(
        self,
        outputs: int,
        width: int = 64,
        blocks: int = 4,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(outputs, width, dropout, seed, **kwargs)
        if blocks < 1:
            raise ValueError(f"blocks: expected at least 1, got {blocks}")
        self.blocks = blocks
        self.first = self._weight_norm(width, 3, salt=0)
        self.expand = [self._weight_norm(width, 3, salt=100 + i) for i in range(blocks)]
        # Short kernels, so that a deep network starts close to its input.
        self.contract = [
            self._weight_norm(width, 3, salt=200 + i, initial_length=0.5) for i in range(blocks)
        ]
        self.skips = [
            self._weight_norm(width, 1, salt=300 + i, initial_length=1.0) for i in range(blocks + 1)
        ]
        self.last = self._weight_norm(outputs, 1, salt=400, initial_length=0.0)

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights; those for the context only if there is one."""
        hidden = (*tuple(inputs_shape)[:-1], self.width)
        self.first.build(inputs_shape)
        for layer in (*self.expand, *self.contract, *self.skips, self.last):
            layer.build(hidden)
        self._build_contexts(self.blocks, inputs_shape, context_shape)

    def call(self, inputs, context=None):
        """Returns `[batch, H, W, outputs]`."""
        x = self.first(inputs)
        skipped = self.skips[-1](x)
        layers = zip(self.expand, self.contract, self.skips[:-1], strict=True)
        for index, (expand, contract, skip) in enumerate(layers):
            h = self._add_context(index, expand(tf.nn.relu(x)), context)
            x += contract(_dropout(tf.nn.relu(h), self.dropout))
            skipped += skip(x)
        return self.last(tf.nn.relu(skipped))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "blocks": self.blocks}
