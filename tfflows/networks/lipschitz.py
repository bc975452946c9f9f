"""Perceptrons that are contractions: every layer's spectral norm is bounded."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfflows.networks.linearization import Linearization


def spectral_norm_bound(matrix: tf.Tensor) -> tf.Tensor:
    """An upper bound on the largest singular value of a matrix, within 2 % for 128 x 128.

    The bound is the Schatten norm of order 256, from six squarings of the Gram matrix. A power
    iteration approaches the singular value from below; this bound is never less than it. It needs
    no state that training would have to keep, and costs a few matrix products on any device.

    Args:
      matrix: `[rows, columns]`.

    Returns:
      A scalar, with gradient.

    Reference: Delattre et al., Efficient Bound of Lipschitz Constant for Convolutional Layers by
    Gram Iteration, 2023. https://arxiv.org/abs/2305.16173
    """
    fixed = tf.stop_gradient(matrix)
    wide = matrix.shape[0] <= matrix.shape[1]
    gram = tf.matmul(fixed, fixed, transpose_a=not wide, transpose_b=wide)
    log_norm, weight, product = 0.0, 0.25, None
    for _ in range(3):
        square = 2.0 * tf.nn.l2_loss(gram) + 1e-30
        log_norm += weight * tf.math.log(square)
        gram *= tf.math.rsqrt(square)
        for _ in range(2):
            product = gram if product is None else product @ gram
            gram = gram @ gram
        weight /= 4.0
    norm = tf.exp(log_norm + weight * tf.math.log(2.0 * tf.nn.l2_loss(gram) + 1e-30))
    # The gradient is along M (M'M)^127, and a norm is the product of its gradient and the matrix.
    product @= gram
    direction = product @ fixed if wide else fixed @ product
    direction *= norm / (tf.reduce_sum(direction * fixed) + 1e-30)
    return tf.reduce_sum(tf.stop_gradient(direction) * matrix)


@keras.saving.register_keras_serializable("tfflows")
class LipschitzMLP(keras.layers.Layer):
    """Perceptron with LipSwish activations and a bounded Lipschitz constant, initially zero.

    If a bound on the spectral norm of a kernel exceeds `coefficient`, the kernel is scaled down to
    it. This happens in `call`, so it holds for any weights, whatever changed them. LipSwish,
    `x sigmoid(b x) / 1.1` with `b > 0` learnt, has slopes of at most 1. So the constant is at most
    `lipschitz = coefficient ** layers`. A context `[batch, size]` enters every hidden layer
    through a matrix of its own, which is not bounded.

    The layer computes in its own dtype, whatever the mixed-precision policy: in bfloat16 it would
    not be a contraction.

    Args:
      outputs: size of the input and of the output.
      hidden_units: size of each hidden layer.
      coefficient: bound on each kernel's spectral norm, between 0 and 1.
      seed: seed of the initial weights.
      dtype: floating type of the layer.
      **kwargs: passed to `keras.layers.Layer`.

    Raises:
      ValueError: for an argument out of its range.

    References: Behrmann et al., Invertible Residual Networks, 2019,
    https://arxiv.org/abs/1811.00995; Chen et al., Residual Flows for Invertible Generative
    Modeling, 2019, https://arxiv.org/abs/1906.02735
    """

    def __init__(
        self,
        outputs: int,
        hidden_units: Sequence[int] = (64, 64),
        coefficient: float = 0.97,
        seed: int = 0,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(dtype=dtype, **kwargs)
        if not 0.0 < coefficient < 1.0:
            raise ValueError(f"coefficient: expected a number between 0 and 1, got {coefficient}")
        if not hidden_units or min(hidden_units) < 1:
            raise ValueError(f"hidden_units: expected positive sizes, got {tuple(hidden_units)}")
        self.outputs, self.hidden_units = int(outputs), tuple(hidden_units)
        self.coefficient, self.seed = float(coefficient), seed
        self.contexts = []

    @property
    def lipschitz(self) -> float:
        """Bound on the Lipschitz constant, for every context."""
        return self.coefficient ** (len(self.hidden_units) + 1)

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights; those for the context only if there is one."""
        sizes = (inputs_shape[-1], *self.hidden_units, self.outputs)
        glorot = keras.initializers.GlorotUniform
        self.kernels, self.biases = [], []
        for index, shape in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            last = index == len(self.hidden_units)
            initializer = "zeros" if last else glorot(self.seed * 1009 + index)
            self.kernels.append(self.add_weight(shape, initializer, name="kernel"))
            self.biases.append(self.add_weight(shape[1:], "zeros", name="bias"))
        half = keras.initializers.Constant(0.5)
        self.betas = [self.add_weight((), half, name="beta") for _ in self.hidden_units]
        if context_shape is not None:
            self.contexts = [
                self.add_weight(
                    shape=(context_shape[-1], units),
                    initializer=glorot(self.seed * 1009 + 500 + index),
                    name="context",
                )
                for index, units in enumerate(self.hidden_units)
            ]

    def at(self, context=None) -> _Contraction:
        """The function of the inputs alone, with kernels normalised once for many calls."""
        kernels = [tf.convert_to_tensor(kernel) for kernel in self.kernels]
        # The larger of the two, so that small kernels stay as they are and zero is safe.
        kernels = [
            w * (self.coefficient / tf.maximum(spectral_norm_bound(w), self.coefficient))
            for w in kernels
        ]
        biases = [tf.convert_to_tensor(bias) for bias in self.biases]
        for index, matrix in enumerate(self.contexts):
            biases[index] += tf.cast(context, kernels[0].dtype) @ tf.convert_to_tensor(matrix)
        return _Contraction(kernels, biases, [tf.nn.softplus(beta) for beta in self.betas])

    def call(self, inputs, context=None):
        """Returns `[batch, outputs]`."""
        return self.at(context)(inputs)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "outputs": self.outputs,
            "hidden_units": list(self.hidden_units),
            "coefficient": self.coefficient,
            "seed": self.seed,
        }


class _Contraction:
    """A `LipschitzMLP` with its kernels normalised and its context applied."""

    def __init__(self, kernels, biases, betas):
        self._kernels, self._biases, self._betas = kernels, biases, betas

    def stopped(self) -> _Contraction:
        """The same function, but without gradients to its weights."""
        stop = tf.stop_gradient
        parts = (self._kernels, self._biases, self._betas)
        return _Contraction(*([stop(value) for value in part] for part in parts))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        for kernel, bias, beta in zip(self._kernels, self._biases, self._betas, strict=False):
            x = x @ kernel + bias
            x *= tf.sigmoid(beta * x) / 1.1
        return x @ self._kernels[-1] + self._biases[-1]

    def linearize(self, x: tf.Tensor) -> tuple[tf.Tensor, Linearization]:
        """The value `[batch, outputs]` and the Jacobian at `x`."""
        factors = []
        for kernel, bias, beta in zip(self._kernels, self._biases, self._betas, strict=False):
            x = x @ kernel + bias
            gate = tf.sigmoid(beta * x)
            factors.append((kernel, gate * (1.0 + beta * x * (1.0 - gate)) / 1.1))
            x *= gate / 1.1
        factors.append((self._kernels[-1], None))
        return x @ self._kernels[-1] + self._biases[-1], Linearization(factors)
