"""Networks of 8-bit integers, whose results are the same on every machine.

A float network returns slightly different numbers with another number of threads, another library
or another processor, because it adds in another order. An integer flow rounds such numbers, so a
tiny difference can change an integer, and a decoder would sometimes return garbage. Here weights
and hidden numbers are 8-bit integers times powers of two. A sum has so few of them that it stays
below 2**24, so float32 holds every partial sum exactly, whatever the order.

In training, gradients pass through the rounding as if it were the identity.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from tfflows.rounding import straight_through

_LARGEST = 127  # of a weight or a hidden number, in its steps
_LARGEST_INPUT = 128
STEP = 2.0**-4  # of hidden numbers
_EXACT = 2**24  # float32 holds all integers up to this
_MOST_INPUTS = (_EXACT - 1) // (_LARGEST * _LARGEST_INPUT)  # of a sum
_SHARPEST = 12  # weights are multiples of at least 2**-_SHARPEST


def on_grid(value: tf.Tensor, low: float = -_LARGEST, high: float = _LARGEST) -> tf.Tensor:
    """Hidden numbers rounded to their steps, between `low` and `high` steps."""
    clipped = tf.clip_by_value(value, low * STEP, high * STEP)
    return straight_through(clipped, tf.floor(clipped / STEP + 0.5) * STEP)


def _power_of_two(exponent: tf.Tensor) -> tf.Tensor:
    """`2 ** exponent` of int32, exactly."""
    return tf.bitcast(
        tf.bitwise.left_shift(exponent + 127, tf.fill(tf.shape(exponent), 23)), tf.float32
    )


def quantized_weights(kernel: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A kernel of integers times a power of two for each output, and the bias on the sums' grid.

    Args:
      kernel: `[..., outputs]`.
      bias: `[outputs]`.
    """
    axes = list(range(kernel.shape.rank - 1))
    inputs = kernel.shape.num_elements() // kernel.shape[-1]
    largest = tf.reduce_max(tf.abs(kernel), axes)
    # The exponent, from the bits of the number: log2 is not the same on every machine.
    bits = tf.bitcast(largest, tf.int32)
    exponent = tf.bitwise.right_shift(bits, tf.fill(tf.shape(bits), 23)) - 127
    exponent = tf.clip_by_value(6 - exponent, -_SHARPEST, _SHARPEST)
    scale = tf.stop_gradient(_power_of_two(exponent))
    whole = tf.clip_by_value(tf.floor(kernel * scale + 0.5), -_LARGEST, _LARGEST)
    kernel = straight_through(kernel, whole / scale)
    scale /= STEP
    room = float(_EXACT - 1 - inputs * _LARGEST * _LARGEST_INPUT)
    bias = straight_through(
        bias, tf.clip_by_value(tf.floor(bias * scale + 0.5), -room, room) / scale
    )
    return kernel, bias


def check_inputs(name: str, inputs: int, which: str) -> None:
    """Raises a ValueError that names the argument, if float32 may round a sum of so many inputs."""
    if inputs > _MOST_INPUTS:
        raise ValueError(
            f"{name}: expected at most {_MOST_INPUTS} numbers in a sum of a quantized network, "
            f"got {inputs} ({which})"
        )


class QuantizedConvolution(keras.layers.Conv2D):
    """A convolution that keeps height and width, of 8-bit weights if `quantized`.

    Args:
      filters: channels of the output.
      kernel_size: side of the kernel.
      quantized: whether weights are rounded to 8 bits.
      **kwargs: passed to `keras.layers.Conv2D`.

    Raises:
      ValueError: if so many numbers enter a sum that float32 may round it.
    """

    def __init__(self, filters: int, kernel_size: int, quantized: bool, **kwargs):
        super().__init__(filters, kernel_size, padding="same", **kwargs)
        self.quantized = quantized

    def build(self, inputs_shape):
        """Creates the weights."""
        inputs = inputs_shape[-1] * self.kernel_size[0] * self.kernel_size[1]
        if self.quantized:
            sides = f"{self.kernel_size[0]} x {self.kernel_size[1]}"
            check_inputs("width", inputs, f"{inputs_shape[-1]} channels x {sides}")
        super().build(inputs_shape)

    def call(self, inputs):
        """Returns `[batch, H, W, filters]`."""
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        if self.quantized:
            kernel, bias = quantized_weights(kernel, bias)
        return tf.nn.bias_add(tf.nn.conv2d(inputs, kernel, 1, "SAME"), bias)


@keras.saving.register_keras_serializable("tfflows")
class IntegerConvNet(keras.layers.Layer):
    """A residual network from integers in a range to numbers around 1, initially zero.

    Each block is `x + W2 relu(W1 relu(x))` with kernels of 3 x 3 and 1 x 1. It computes in float32,
    whatever the dtype policy.

    Args:
      outputs: channels of the output.
      levels: number of integers in the range `-levels / 2` to `levels / 2 - 1`.
      width: hidden channels; at most 114 if `quantized`.
      blocks: number of residual blocks.
      quantized: whether weights and hidden numbers are 8-bit integers (see this module).
      seed: seed of the initial weights.
      **kwargs: passed to `keras.layers.Layer`.
    """

    _side = 3  # of the kernels that see neighbours

    def __init__(
        self,
        outputs: int,
        levels: int = 256,
        width: int = 64,
        blocks: int = 2,
        quantized: bool = False,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.outputs, self.levels, self.width = outputs, levels, width
        self.blocks, self.quantized, self.seed = blocks, quantized, seed
        for name, value in (("width", width), ("blocks", blocks)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        self.first = self._convolution(width, self._side, 0, 0.25)  # its inputs reach +-8
        self.expand = [self._convolution(width, self._side, 100 + i) for i in range(blocks)]
        self.contract = [self._convolution(width, 1, 200 + i, 0.5) for i in range(blocks)]
        self.last = self._convolution(outputs, self._side, 300, 0.0)

    def _convolution(self, filters, size, salt, length=1.0):
        initial = "zeros"
        if length:
            salt += self.seed * 1009
            initial = keras.initializers.VarianceScaling(2.0 * length**2, seed=salt)
        return QuantizedConvolution(
            filters, size, self.quantized, kernel_initializer=initial, dtype="float32"
        )

    def build(self, inputs_shape):
        """Creates the weights."""
        hidden = (*tuple(inputs_shape)[:-1], self.width)
        self.first.build(inputs_shape)
        for layer in (*self.expand, *self.contract, self.last):
            layer.build(hidden)

    def _signed(self, x):
        return on_grid(x) if self.quantized else x

    def _relu(self, x):
        return on_grid(x, 0) if self.quantized else tf.nn.relu(x)

    def call(self, inputs):
        """Returns `[batch, H, W, outputs]` of integers `[batch, H, W, C]`."""
        # To at most 8 bits, in steps of STEP.
        drop = 2.0 ** max((self.levels - 1).bit_length() - 8, 0)
        x = straight_through(inputs / drop, tf.floor(inputs / drop)) * STEP
        x = self._signed(self.first(x))
        for expand, contract in zip(self.expand, self.contract, strict=True):
            x = self._signed(x + contract(self._relu(expand(self._relu(x)))))
        # Its sums have hundreds of terms: without the factor a step of training moves integers far.
        return self.last(self._relu(x)) * STEP

    def set_bias(self, value) -> None:
        """Sets what the network adds to its outputs, which is all they are at first."""
        self.last.bias.assign(value / STEP)

    def get_config(self):
        """Returns the constructor's arguments."""
        names = ("outputs", "levels", "width", "blocks", "quantized", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("tfflows")
class IntegerMLP(IntegerConvNet):
    """A residual network from vectors of integers in a range to numbers around 1, initially zero.

    Each block is `x + W2 relu(W1 relu(x))`. See `IntegerConvNet` for the arguments; `width` is at
    most 1,032 if `quantized`.
    """

    _side = 1

    def build(self, inputs_shape):
        """Creates the weights."""
        super().build((None, 1, 1, inputs_shape[-1]))

    def call(self, inputs):
        """Returns `[batch, outputs]` of integers `[batch, C]`."""
        result = super().call(tf.reshape(inputs, [-1, 1, 1, inputs.shape[-1]]))
        return tf.reshape(result, [-1, self.outputs])


@keras.saving.register_keras_serializable("tfflows")
class CodeMLP(IntegerMLP):
    """An `IntegerMLP` of one-hot codes, whose ones become the largest 8-bit integer.

    It has as many inputs as the codes together, `[batch, codes * length]`.
    """

    def call(self, inputs):
        """Returns `[batch, outputs]` of codes `[batch, inputs]`."""
        return super().call(float(_LARGEST) * inputs)
