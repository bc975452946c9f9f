"""Vector fields of continuous flows."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfflows.networks.linearization import Linearization

# Smooth activations; each maps its argument to value and slope.
_ACTIVATIONS = {
    "tanh": lambda x: _with_slope(tf.tanh(x), lambda y: 1.0 - tf.square(y)),
    "softplus": lambda x: (tf.nn.softplus(x), tf.sigmoid(x)),
}


def _with_slope(value, slope):
    return value, slope(value)


@keras.saving.register_keras_serializable("tfflows")
class ConcatSquashMLP(keras.layers.Layer):
    """Perceptron from state and time to a velocity, with layers gated by time.

    Each layer is `(x W + b) sigmoid(t u + a) + t v`. A context `[batch, size]` enters the gate and
    the shift alongside the time, through its own matrices. The velocity is initially zero. The
    layer computes in its own dtype, whatever the mixed-precision policy, as a solver needs.

    Args:
      outputs: size of the state and of the velocity.
      hidden_units: size of each hidden layer.
      activation: `"tanh"` or `"softplus"`; a solver needs a smooth one.
      seed: seed of the initial weights.
      dtype: floating type of the layer.
      **kwargs: passed to `keras.layers.Layer`.

    Raises:
      ValueError: for another activation, or no hidden layer.

    Reference: Grathwohl et al., FFJORD: Free-form Continuous Dynamics for Scalable Reversible
    Generative Models, 2018. https://arxiv.org/abs/1810.01367
    """

    def __init__(
        self,
        outputs: int,
        hidden_units: Sequence[int] = (64, 64, 64),
        activation: str = "tanh",
        seed: int = 0,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(dtype=dtype, **kwargs)
        if activation not in _ACTIVATIONS:
            raise ValueError(
                f"activation: expected {' or '.join(_ACTIVATIONS)}, got {activation!r}"
            )
        if not hidden_units or min(hidden_units) < 1:
            raise ValueError(f"hidden_units: expected positive sizes, got {tuple(hidden_units)}")
        self.outputs, self.hidden_units = int(outputs), tuple(hidden_units)
        self.activation, self.seed = activation, seed

    def build(self, inputs_shape, context_shape=None):
        """Creates the weights; those for the context only if there is one."""
        sizes = (inputs_shape[-1], *self.hidden_units, self.outputs)
        self.steps = []
        for index, (inputs, units) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            last = index == len(self.hidden_units)
            self.steps.append(self._build_layer(inputs, units, index, last, context_shape))

    def _build_layer(self, inputs, units, index, last, context_shape) -> dict:
        shapes = {"kernel": (inputs, units), "gate_time": (1, units), "shift_time": (1, units)}
        if context_shape is not None:
            shapes |= {f"{part}_context": (context_shape[-1], units) for part in ("gate", "shift")}
        weights = {name: self.add_weight((units,), "zeros", name=name) for name in ("bias", "gate")}
        for salt, (name, shape) in enumerate(shapes.items()):
            # All that the last layer adds starts at zero, and so does the velocity.
            zero = last and not name.startswith("gate")
            glorot = keras.initializers.GlorotUniform(self.seed * 1009 + 10 * index + salt)
            weights[name] = self.add_weight(shape, "zeros" if zero else glorot, name=name)
        return weights

    def linearize(self, state, time=0.0, context=None) -> tuple[tf.Tensor, Linearization]:
        """The velocity `[batch, outputs]`, and its Jacobian with respect to the state.

        Args:
          state: `[batch, outputs]`.
          time: `[batch, 1]` or a scalar.
          context: `[batch, size]`, or `None`.
        """
        x, factors = state, []
        time = tf.reshape(tf.cast(time, x.dtype), [-1, 1])
        for index, layer in enumerate(self.steps):
            layer = {name: tf.convert_to_tensor(weight) for name, weight in layer.items()}
            gate, shift = layer["gate"] + time * layer["gate_time"], time * layer["shift_time"]
            if context is not None:
                gate += context @ layer["gate_context"]
                shift += context @ layer["shift_context"]
            gate = tf.sigmoid(gate)
            x = (x @ layer["kernel"] + layer["bias"]) * gate + shift
            if index < len(self.hidden_units):
                x, slope = _ACTIVATIONS[self.activation](x)
                gate *= slope
            factors.append((layer["kernel"], gate))
        return x, Linearization(factors)

    def call(self, inputs, time=0.0, context=None):
        """Returns the velocity `[batch, outputs]`."""
        return self.linearize(inputs, time, context)[0]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "outputs": self.outputs,
            "hidden_units": list(self.hidden_units),
            "activation": self.activation,
            "seed": self.seed,
        }
