"""Flows of integers: a continuous flow, and noise that makes integers continuous."""

from __future__ import annotations

import operator

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import distributions
from tfflows.bijectors import base as joint
from tfflows.bijectors.normalization import act_norms, initialize
from tfflows.models.bound import KDrawBound, keyed_noise
from tfflows.models.flows.flow import Flow
from tfflows.models.integers import IntegerEvents
from tfflows.random import row_keys
from tfflows.tracking import AdoptedModule, layer_variables, raw_variables

tfb = tfp.bijectors

# An 8-bit integer plus noise of 15 more bits is exact in float32.
_NOISE_GRID = 2.0**15


class UniformDequantization(tf.Module):
    """Noise `u` that is uniform on (0, 1) and independent of the integers.

    Reference: Theis, van den Oord & Bethge, A note on the evaluation of generative models, 2015.
    https://arxiv.org/abs/1511.01844
    """

    def sample(self, values, draw):
        """Noise `[batch, *event]`, and its log-density `[batch]`, nats.

        Args:
          values: `[batch, *event]`: the integers, as floats.
          draw: function that returns noise of that shape: uniform, or mapped through a quantile
            function if it is given one.
        """
        u = (tf.floor(draw(None) * _NOISE_GRID) + 0.5) / _NOISE_GRID
        return u, tf.zeros(tf.shape(values)[:1], values.dtype)

    def initialize(self, values, draw):
        """Does nothing: no part of this noise starts from data."""


class VariationalDequantization(tf.Module):
    """Noise from a flow conditioned on the integers: `u = bijector.forward(eps; features(x))`.

    Args:
      bijector: maps standard normal latents to noise in (0, 1) of the event's shape; takes the
        features as its context.
      features: Keras layer that maps `[batch, *event]`, scaled to [-1/2, 1/2), to the context.
      event_shape: shape of one datum.
      levels: number of different integers.

    Reference: Ho et al., Flow++, 2019 (section 3.1). https://arxiv.org/abs/1902.00275
    """

    def __init__(self, bijector: tfb.Bijector, features, event_shape, levels: int):
        super().__init__(name="variational_dequantization")
        self.bijector, self.features, self._levels = bijector, features, levels
        self._features_variables = layer_variables(features)
        self._event_shape = tuple(event_shape)
        self._latent_shape = bijector.inverse_event_shape(self._event_shape).as_list()
        self._base = distributions.get("normal")

    def _latents_and_context(self, values, draw):
        eps = draw(self._base.quantile)
        eps = tf.reshape(eps, [-1, *self._latent_shape])
        return eps, tf.cast(self.features(values / self._levels - 0.5), values.dtype)

    def sample(self, values, draw):
        """See `UniformDequantization.sample`."""
        eps, context = self._latents_and_context(values, draw)
        rank = len(self._latent_shape)
        u, log_det = joint.forward_and_log_det(self.bijector, eps, rank, context)
        log_prob = tf.reduce_sum(self._base.log_prob(eps), list(range(1, 1 + rank)))
        return u, log_prob - log_det

    def initialize(self, values, draw):
        """Initialises the ActNorm layers from their inputs for the integers `values`."""
        eps, context = self._latents_and_context(values, draw)
        initialize(self.bijector, eps, len(self._latent_shape), context, inverse=False)


class DequantizedFlow(IntegerEvents, KDrawBound, Flow):
    """A flow of integers 0 to 255, such as the bytes of an image.

    `log_prob` is a lower bound on the log-probability of the integers, in nats. It is the logarithm
    of the mean of `p(x + u) / q(u | x)` over `samples` draws of the noise `u`. More draws make it
    higher, and bring it nearer to the log-probability. In training the noise is fresh. Otherwise it
    is keyed by a hash of each row's own integers, so the bound is a function of the row alone, and
    the errors of different rows are independent.

    Samples are integers, rounded down and clipped to the range.

    Args:
      bijector: maps latents to data in [0, 2**bits)^event.
      event_shape: shape of one datum.
      dequantization: a `UniformDequantization` or `VariationalDequantization`.
      bits: bits of the integers that the flow models: 8, or fewer for a reduced depth. The low
        bits of the input are then dropped, and are zero in samples.
      samples: K of the bound; also a property that can be set.
      **kwargs: passed to `Flow`.

    Reference: Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, 2015, for the bound.
    https://arxiv.org/abs/1509.00519
    """

    modality = "images"

    def __init__(
        self,
        bijector: tfb.Bijector,
        event_shape,
        dequantization: tf.Module,
        bits: int = 8,
        samples: int = 1,
        **kwargs,
    ):
        bits = check_bits(bits)
        super().__init__(bijector, event_shape, **kwargs)
        self.bits, self.samples = bits, samples
        self.dequantization = dequantization
        self._adopted_noise = AdoptedModule(dequantization, name="dequantization_variables")
        self._norms = self._norms + [
            norm
            for module in (dequantization, *dequantization.submodules)
            if isinstance(module, tfb.Bijector)
            for norm in act_norms(module)
        ]
        self._norms = list({id(norm): norm for norm in self._norms}.values())

    @property
    def raw_variables(self) -> list[tf.Variable]:
        """Every `tf.Variable` of the bijector and of the dequantization."""
        return [*raw_variables(self.bijector), *raw_variables(self.dequantization)]

    @property
    def _step(self) -> int:
        return 2 ** (8 - self.bits)

    def _weight(self, values, draw, context):
        """`log p(x + u) - log q(u | x)` of each row, for one draw of `u`."""
        noise, log_q = self.dequantization.sample(values, draw)
        return Flow.log_prob_fn(self, values + noise, context) - log_q

    # Graph functions.

    def log_mass(self, values, context=None):
        """The bound `[batch]`, nats, as a graph function."""
        values = tf.floor(values / self._step)
        return self.bound(
            values,
            lambda: row_keys(values),
            lambda draw: self._weight(values, draw, context),
        )

    def draw(self, seed, temperature, context=None):
        """Samples `uint8 [batch, *event]`, as a graph function."""
        return self._integers(super().draw_and_log_prob(seed, temperature, context)[0])

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their bound at temperature 1, as a graph function."""
        x = self.draw(seed, temperature, context)
        return x, self.log_prob_fn(x, context)

    def seen(self, x) -> np.ndarray:
        """Integers `[batch, *event]` without the low bits, which the model drops."""
        return np.asarray(x) // self._step * self._step

    def _integers(self, y):
        values = tf.clip_by_value(tf.floor(y), 0.0, 2.0**self.bits - 1.0)
        return tf.cast(values * self._step, tf.uint8)

    def encode_fn(self, x, context=None):
        """Integers to latents, as a graph function."""
        values = tf.floor(tf.cast(x, tf.float32) / self._step)
        noise, _ = self.dequantization.sample(values, _keyed(values))
        # Stay clear of the next integer, so that float32 decodes what was encoded.
        return super().encode_fn(values + 0.05 + 0.9 * noise, context)

    def decode_fn(self, z, context=None):
        """Latents to integers `uint8`, as a graph function."""
        return self._integers(super().decode_fn(z, context))

    # The public interface.

    def _initialize(self, x, context):
        values = tf.floor(x / self._step)
        self.dequantization.initialize(values, _keyed(values))
        noise, _ = self.dequantization.sample(values, _keyed(values))
        super()._initialize(values + noise, context)

    def encode(self, x, context=None) -> tf.Tensor:
        """Latents `[batch, *latent]` of integers `[batch, *event]`; see `Flow.encode`."""
        if not tf.inside_function():
            self.check_data("x", self._check_x("x", x))
        return super().encode(x, context)

    def decode(self, z, context=None) -> tf.Tensor:
        """Integers `uint8 [batch, *event]` of latents `[batch, *latent]`."""
        z = tf.cast(tf.convert_to_tensor(z), tf.float32)
        if not tf.inside_function() and not np.isfinite(z).all():
            raise ValueError("z: expected finite numbers, got NaN or infinity")
        return super().decode(z, context)


def _keyed(values):
    """The first draw of each row's noise."""
    return keyed_noise(values, row_keys(values))


def check_bits(bits: int) -> int:
    """Returns `bits` as an int; raises a ValueError if it is not 1 to 8."""
    try:
        number = 0 if isinstance(bits, bool) else operator.index(bits)
    except TypeError:
        number = 0
    if not 1 <= number <= 8:
        raise ValueError(f"bits: expected a whole number from 1 to 8, got {bits!r}")
    return number
