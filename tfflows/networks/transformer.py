"""Transformers over the elements of a set or a sequence."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from tfflows.networks.mlp import dropout as _dropout

_FIRST_FREQUENCY = 1.5  # a period of about four deviations of normalised inputs


@keras.saving.register_keras_serializable("tfflows")
class Transformer(keras.layers.Layer):
    """Maps `[batch, size, inputs]` to `[batch, size, outputs]` by self-attention, initially zero.

    A hidden layer embeds each element. Each layer is multi-head self-attention, then a hidden layer
    of four times the width, both residual and after layer normalisation. Without positions all
    elements are treated alike: if the elements are permuted, the outputs are permuted with them.
    With positions, each has a learned vector that is added to its embedding. With frequencies, the
    sine and cosine of inputs at each frequency are inputs, too, so that sharp functions of them are
    learned quickly.

    Args:
      outputs: numbers for each element.
      width: hidden units of each element.
      layers: number of layers.
      heads: heads of attention, a divisor of `width`.
      positions: whether elements are told apart by their positions.
      frequencies: number of frequencies; the first is 1.5, and each is twice the one before.
      dropout: rate of dropout after each half of a layer, during training.
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.

    Raises:
      ValueError: if an argument is out of its range.

    References: Vaswani et al., Attention Is All You Need, 2017. https://arxiv.org/abs/1706.03762
    Normalisation before each half: Xiong et al., On Layer Normalization in the Transformer
    Architecture, 2020. https://arxiv.org/abs/2002.04745
    Frequencies: Tancik et al., Fourier Features Let Networks Learn High Frequency Functions in Low
    Dimensional Domains, 2020. https://arxiv.org/abs/2006.10739
    """

    def __init__(
        self,
        outputs: int,
        width: int = 128,
        layers: int = 2,
        heads: int = 4,
        positions: bool = False,
        frequencies: int = 0,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if layers < 1:
            raise ValueError(f"layers: expected at least 1, got {layers}")
        if heads < 1 or width % heads:
            raise ValueError(f"heads: expected a divisor of width {width}, got {heads}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout: expected a rate in [0, 1), got {dropout}")
        self.outputs, self.width, self.layers, self.heads = outputs, width, layers, heads
        if frequencies < 0:
            raise ValueError(f"frequencies: expected 0 or more, got {frequencies}")
        self.positions, self.frequencies = positions, frequencies
        self.dropout, self.seed = dropout, seed
        self.embedding = [self._dense(width, 0), self._dense(width, 5)]
        self.attentions = [
            [self._dense(3 * width, 10 * i + 1), self._dense(width, 10 * i + 2)]
            for i in range(layers)
        ]
        self.hidden = [
            [self._dense(4 * width, 10 * i + 3), self._dense(width, 10 * i + 4)]
            for i in range(layers)
        ]
        self.norms = [[self._normalization() for _ in range(2)] for _ in range(layers)]
        self.last_norm = self._normalization()
        self.last = keras.layers.Dense(outputs, kernel_initializer="zeros", dtype=self.dtype_policy)

    def _dense(self, units, salt):
        start = keras.initializers.GlorotUniform(self.seed * 1009 + salt)
        return keras.layers.Dense(units, kernel_initializer=start, dtype=self.dtype_policy)

    def _normalization(self):
        return keras.layers.LayerNormalization(epsilon=1e-5, dtype=self.dtype_policy)

    def build(self, inputs_shape):
        """Creates the weights."""
        hidden = (*tuple(inputs_shape)[:-1], self.width)
        inputs = tuple(inputs_shape)[-1] * (1 + 2 * self.frequencies)
        self.embedding[0].build((*hidden[:-1], inputs))
        self.embedding[1].build(hidden)
        for index, norms in enumerate(self.norms):
            for layer in (*norms, *self.attentions[index]):
                layer.build(hidden)
            self.hidden[index][0].build(hidden)
            self.hidden[index][1].build((*hidden[:-1], 4 * self.width))
        self.last_norm.build(hidden)
        self.last.build(hidden)
        if self.positions:
            self.places = self.add_weight(
                name="places",
                shape=hidden[1:],
                initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self.seed * 1009 + 5),
            )

    def call(self, inputs):
        """Returns `[batch, size, outputs]`."""
        waves = [
            wave(inputs * (_FIRST_FREQUENCY * 2.0**number))
            for number in range(self.frequencies)
            for wave in (tf.sin, tf.cos)
        ]
        x = tf.concat([inputs, *waves], -1) if waves else inputs
        x = self.embedding[1](tf.nn.gelu(self.embedding[0](x)))
        if self.positions:
            x += tf.cast(self.places, x.dtype)
        for norms, attention, hidden in zip(self.norms, self.attentions, self.hidden, strict=True):
            x += _dropout(self._attention(norms[0](x), *attention), self.dropout)
            x += _dropout(hidden[1](tf.nn.gelu(hidden[0](norms[1](x)))), self.dropout)
        return self.last(self.last_norm(x))

    def _attention(self, x, project_in, project_out):
        """Multi-head self-attention, with its softmax in float32."""
        size, width = x.shape[-2], self.width // self.heads
        h = tf.reshape(project_in(x), [-1, size, 3, self.heads, width])
        query, key, value = tf.unstack(tf.transpose(h, [2, 0, 3, 1, 4]))
        weights = tf.matmul(query, key, transpose_b=True) * (1.0 / math.sqrt(width))
        weights = tf.cast(tf.nn.softmax(tf.cast(weights, tf.float32)), x.dtype)
        h = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        return project_out(tf.reshape(h, [-1, size, self.width]))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "outputs": self.outputs,
            "width": self.width,
            "layers": self.layers,
            "heads": self.heads,
            "positions": self.positions,
            "frequencies": self.frequencies,
            "dropout": self.dropout,
            "seed": self.seed,
        }
