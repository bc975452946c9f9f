"""Flow++'s conditioner: gated residual convolutions and self-attention."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from tfflows.networks.convolution import _ImageConditioner
from tfflows.networks.mlp import dropout as _dropout


def concat_elu(x: tf.Tensor) -> tf.Tensor:
    """`elu` of `x` and of `-x`, side by side: twice the channels."""
    return tf.nn.elu(tf.concat([x, -x], axis=-1))


def gate(x: tf.Tensor) -> tf.Tensor:
    """The first half of the channels times the logistic function of the second."""
    value, weight = tf.split(x, 2, axis=-1)
    return value * tf.sigmoid(weight)


class _Blocks(_ImageConditioner):
    """The blocks that Flow++'s conditioner and its feature network share.

    A block is a gated residual convolution, whose second kernel has side `second`, then layer
    normalisation if `normalized`. If there are heads, gated self-attention over all positions
    follows, and again layer normalisation if `normalized`.
    """

    def __init__(
        self,
        outputs,
        width,
        blocks,
        heads,
        weight_norm,
        dropout,
        seed,
        second,
        normalized,
        **kwargs,
    ):
        super().__init__(outputs, width, dropout, seed, **kwargs)
        if blocks < 1:
            raise ValueError(f"blocks: expected at least 1, got {blocks}")
        if heads < 0 or (heads and width % heads):
            raise ValueError(f"heads: expected a divisor of width {width}, or 0, got {heads}")
        self.blocks, self.heads, self.weight_norm = blocks, heads, weight_norm
        self.first = self._plain(width, 3, salt=0)
        self.convolutions = [
            [self._plain(width, 3, salt=100 + i), self._small(2 * width, second, salt=200 + i)]
            for i in range(blocks)
        ]
        self.attentions = [
            [self._plain(3 * width, 1, salt=300 + i), self._small(2 * width, 1, salt=400 + i)]
            for i in range(blocks if heads else 0)
        ]
        norms = (2 if heads else 1) if normalized else 0
        self.norms = [[self._normalization() for _ in range(norms)] for _ in range(blocks)]

    def _small(self, filters, kernel_size, salt):
        """A layer whose weights start at a tenth of the usual size."""
        return self._scaled(filters, kernel_size, salt, 0.1)

    def _plain(self, filters, kernel_size, salt):
        return self._scaled(filters, kernel_size, salt, 1.0)

    def _scaled(self, filters, kernel_size, salt, size):
        if self.weight_norm:
            return self._weight_norm(filters, kernel_size, salt, initial_length=size)
        scale = keras.initializers.VarianceScaling(size**2, "fan_in", "normal", self._seed(salt))
        return self._convolution(filters, kernel_size, kernel_initializer=scale)

    def _normalization(self):
        return keras.layers.LayerNormalization(epsilon=1e-5, dtype=self.dtype_policy)

    def _build_blocks(self, inputs_shape):
        """Creates the weights; returns the shapes of hidden channels, and of twice as many."""
        positions = tuple(inputs_shape)[:-1]
        hidden, double = (*positions, self.width), (*positions, 2 * self.width)
        self.first.build(inputs_shape)
        for convolution, norms in zip(self.convolutions, self.norms, strict=True):
            for layer in convolution:
                layer.build(double)
            for layer in norms:
                layer.build(hidden)
        for attention in self.attentions:
            for layer in attention:
                layer.build(hidden)
        return hidden, double

    def _build_embedding(self, hidden):
        if self.heads:
            self.embedding = self.add_weight(
                name="embedding",
                shape=hidden[1:],
                initializer=keras.initializers.RandomNormal(stddev=0.01, seed=self._seed(2)),
            )

    def _hidden(self, inputs, context=None):
        """Applies the blocks to `inputs`; returns `[batch, H, W, width]`."""
        x = self.first(inputs)
        if context is not None:
            context = concat_elu(tf.cast(context, x.dtype))
        for index, norms in enumerate(self.norms):
            x = self._gated_convolution(x, self.convolutions[index], index, context)
            x = norms[0](x) if norms else x
            if self.heads:
                x = self._gated_attention(x, *self.attentions[index])
                x = norms[1](x) if norms else x
        return x

    def _gated_convolution(self, x, layers, index, context):
        """`x + gate(W2 elu(W1 elu(x) + V elu(context)))`, each `elu` of both signs."""
        h = self._add_context(index, layers[0](concat_elu(x)), context)
        h = _dropout(concat_elu(h), self.dropout)
        return x + gate(layers[1](h))

    def _gated_attention(self, x, project_in, project_out):
        """Residual multi-head self-attention over the positions, gated."""
        height, width, channels = x.shape[1:]
        positions, size = height * width, channels // self.heads
        h = project_in(x + tf.cast(self.embedding, x.dtype))
        h = tf.reshape(h, [-1, positions, 3, self.heads, size])
        query, key, value = tf.unstack(tf.transpose(h, [2, 0, 3, 1, 4]))
        weights = tf.matmul(query, key, transpose_b=True) * (1.0 / math.sqrt(size))
        weights = tf.cast(tf.nn.softmax(tf.cast(weights, tf.float32)), x.dtype)
        h = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        h = _dropout(tf.reshape(h, [-1, height, width, channels]), self.dropout)
        return x + gate(project_out(h))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "blocks": self.blocks,
            "heads": self.heads,
            "weight_norm": self.weight_norm,
        }


@keras.saving.register_keras_serializable("tfflows")
class GatedAttentionNet(_Blocks):
    """Flow++'s conditioner: blocks of a gated convolution and gated self-attention.

    Each block is a gated residual convolution (3 x 3, then 1 x 1), layer normalisation, a gated
    residual self-attention over all positions with a learned embedding of each position, and
    layer normalisation. The last layer starts small.

    Args:
      outputs: channels of the output.
      width: hidden channels.
      blocks: number of blocks.
      heads: heads of attention, a divisor of `width`; 0 for blocks without attention.
      dropout: rate of dropout within the blocks, during training.
      last_elu: put an `elu` of both signs before the last layer, as in the authors' ImageNet
        models.
      weight_norm: parametrise every layer's kernels by direction and length (`WeightNormConv2D`).
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Raises:
      ValueError: if an argument is out of its range.

    Reference: Ho et al., Flow++, 2019 (section 3.3). https://arxiv.org/abs/1902.00275
    """

    def __init__(
        self,
        outputs: int,
        width: int = 96,
        blocks: int = 10,
        heads: int = 4,
        dropout: float = 0.0,
        last_elu: bool = False,
        weight_norm: bool = False,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(
            outputs,
            width,
            blocks,
            heads,
            weight_norm,
            dropout,
            seed,
            second=1,
            normalized=True,
            **kwargs,
        )
        self.last_elu = last_elu
        self.last = self._small(outputs, 3, salt=1)

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights; those for the context only if there is one."""
        hidden, double = self._build_blocks(inputs_shape)
        self.last.build(double if self.last_elu else hidden)
        self._build_embedding(hidden)
        if context_shape is not None:
            doubled = (*context_shape[:-1], 2 * context_shape[-1])
            self._build_contexts(self.blocks, inputs_shape, doubled, True, self.weight_norm)

    def call(self, inputs, context=None):
        """Returns `[batch, H, W, outputs]`."""
        x = self._hidden(inputs, context)
        return self.last(concat_elu(x) if self.last_elu else x)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "last_elu": self.last_elu}


@keras.saving.register_keras_serializable("tfflows")
class GatedFeatureNet(_Blocks):
    """Computes features of an image, for the flow of its dequantization noise.

    A 3 x 3 convolution is followed by blocks of a gated residual convolution (3 x 3 twice). As in
    the authors' ImageNet models, blocks can also have layer normalisation and gated self-attention.

    Args:
      outputs: number of features at each position.
      blocks: number of blocks.
      heads: heads of attention, a divisor of `outputs`; 0 for blocks without attention.
      normalized: put layer normalisation after each part of a block.
      dropout: rate of dropout within the blocks, during training.
      weight_norm: parametrise every layer's kernels by direction and length (`WeightNormConv2D`).
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Raises:
      ValueError: if an argument is out of its range.

    Reference: Ho et al., Flow++, 2019 (section 3.1). https://arxiv.org/abs/1902.00275
    """

    def __init__(
        self,
        outputs: int = 32,
        blocks: int = 3,
        heads: int = 0,
        normalized: bool = False,
        dropout: float = 0.0,
        weight_norm: bool = False,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(
            outputs,
            outputs,
            blocks,
            heads,
            weight_norm,
            dropout,
            seed,
            second=3,
            normalized=normalized,
            **kwargs,
        )
        self.normalized = normalized

    def build(self, inputs_shape):
        """Creates the weights."""
        hidden, _ = self._build_blocks(inputs_shape)
        self._build_embedding(hidden)

    def call(self, inputs):
        """Returns `[batch, H, W, outputs]`."""
        return self._hidden(inputs)

    def get_config(self):
        """Returns the constructor's arguments."""
        config = {**super().get_config(), "normalized": self.normalized}
        del config["width"]
        return config
