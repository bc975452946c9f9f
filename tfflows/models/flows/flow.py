"""`Flow`: a base distribution pushed through a bijector, as a Keras model."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import compat, distributions
from tfflows.bijectors import base as joint
from tfflows.bijectors.normalization import Standardize, act_norms, initialize
from tfflows.checks import whole_number
from tfflows.models.density import DensityModel
from tfflows.models.feeding import as_tensor
from tfflows.models.flows import support
from tfflows.models.reals import RealEvents
from tfflows.random import tail_rows
from tfflows.tracking import AdoptedModule, raw_variables

tfb = tfp.bijectors
tfd = tfp.distributions

# Beyond this the square of a float32 overflows; such a row is outside of any support.
_LARGEST = 1e18


class Flow(RealEvents, DensityModel):
    """A normalizing flow over any TFP bijector.

    Every variable of the bijector, including those of its Keras layers, is a weight of the model.

    Args:
      bijector: maps latents (`forward`) to data; ours or any of TFP's.
      event_shape: shape of one datum.
      base: `"normal"`, `"uniform"`, `"beta(a,b)"` or a `tfflows.distributions.Base`: the
        distribution of each latent number, all independent.
      seed: training noise (dropout) is a function of (seed, step).
      name: name of the model.
      **kwargs: passed to `keras.Model`.

    Raises:
      ValueError: if the bijector does not map events of this shape.
    """

    has_latents = True
    _check_variables = True
    _uninitialized = (
        "the model's ActNorm layers have seen no data; call initialize(x) with a batch, train with "
        "fit, or load weights first"
    )

    def __init__(
        self,
        bijector: tfb.Bijector,
        event_shape,
        base="normal",
        seed: int = 0,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, name=name, **kwargs)
        self._event_shape = tuple(int(d) for d in tf.TensorShape(event_shape).as_list())
        if not self._event_shape or min(self._event_shape) < 1:
            raise ValueError(f"event_shape: expected positive sizes, got {self._event_shape}")
        ndims = len(self._event_shape)
        if bijector.inverse_min_event_ndims > ndims:
            raise ValueError(
                f"event_shape: {bijector.name} needs rank {bijector.inverse_min_event_ndims} "
                f"or more, got {self._event_shape}"
            )
        self.bijector = bijector
        self.base = distributions.get(base)
        self._latent_shape = tuple(bijector.inverse_event_shape(self._event_shape).as_list())
        self._latent_size = math.prod(self._latent_shape)
        if self._check_variables:
            self._check_variables_found()
        self._adopted = AdoptedModule(bijector, name="bijector_variables")
        self._norms, self._known_initialized = act_norms(bijector), False
        self.built = True

    def _check_variables_found(self):
        """Raises ValueError if the bijector reads a variable that is not one of the model's."""
        context = self.context_shape
        context = None if context is None else tf.zeros([1, *context])
        with tf.GradientTape() as tape:
            try:
                event = tf.zeros([1, *self._event_shape])
                joint.inverse_and_log_det(self.bijector, event, len(self._event_shape), context)
            except tf.errors.InvalidArgumentError:
                return  # a bijector that checks its arguments and rejects zero
            except ValueError as error:
                if "context" in str(error):  # tfb.Chain does not report its context
                    return
                raise
        found = raw_variables(self.bijector)
        # Under a strategy the tape sees a variable's copies on the devices.
        found = {id(part) for v in found for part in (v, *getattr(v, "values", ()))}
        hidden = [v.name for v in tape.watched_variables() if id(v) not in found]
        if hidden:
            raise ValueError(
                f"bijector: {self.bijector.name} uses {hidden[0]} and {len(hidden) - 1} other "
                "variables that are not in its attributes (but in a function, or a layer that a "
                "function calls), so training would not update them; make the layers attributes "
                "of the bijector, or use tfflows.bijectors"
            )

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent."""
        return self._latent_shape

    @property
    def context_shape(self) -> tuple[int, ...] | None:
        """Shape of one context, or `None` for a flow that takes none."""
        return joint.context_shape(self.bijector)

    @property
    def supports_temperature(self) -> bool:
        """Whether samples can be drawn at a temperature other than 1 (normal or logistic base)."""
        return self.base.supports_temperature

    @property
    def raw_variables(self) -> list[tf.Variable]:
        """Every `tf.Variable` of the bijector."""
        return raw_variables(self.bijector)

    @property
    def distribution(self) -> tfd.TransformedDistribution:
        """The flow as a TFP distribution.

        Its `sample` uses TFP's seeds, so its draws differ from those of `Flow.sample`.
        """
        latent = tfd.Sample(self.base.distribution(), self._latent_shape)
        return tfd.TransformedDistribution(latent, self.bijector)

    @property
    def initialized(self) -> bool:
        """Whether everything that starts from data has been initialised."""
        if not self._known_initialized:  # read once, because every draw needs it
            self._known_initialized = all(int(norm.initialized.numpy()) for norm in self._norms)
        return self._known_initialized

    def load_weights(self, filepath, **kwargs):
        """Keras's `load_weights`, for the model alone."""
        self._known_initialized = False
        super().load_weights(filepath, **kwargs)

    def initialize(self, x, context=None) -> None:
        """Initialises every ActNorm that has not been initialised yet, from the batch `x`.

        Call it outside of a strategy's replicas, so that all of them get the same statistics.

        Args:
          x: `[batch, *event]`, at least two rows.
          context: `[batch, *context_shape]` for a conditional flow.
        """
        if self.initialized:
            return
        given = as_tensor(self.by_name("x", x))
        x, context, _ = self._unpack((given, context))
        if x.shape[0] < 2:
            raise ValueError(f"x: initialisation needs at least 2 rows, got {x.shape[0]}")
        self.check_data("x", x)
        self._check_rounding("x", given)
        self._initialize(x, context)

    def _initialize(self, x, context):
        initialize(self.bijector, x, len(self._event_shape), context)

    # Standardisation of raw tables.

    @property
    def _standardize(self) -> Standardize | None:
        first = self.bijector
        while isinstance(first, compat.Chain):
            first = first.bijectors[0]
        return first if isinstance(first, Standardize) else None

    # Graph functions.

    def _latent_log_prob(self, z):
        axes = list(range(1, 1 + len(self._latent_shape)))
        return tf.reduce_sum(self.base.log_prob(z), axis=axes)

    def log_prob_fn(self, x, context=None):
        """Log-density `[batch]`, nats, as a graph function."""
        x = tf.identity(x)
        axes = list(range(1, 1 + len(self._event_shape)))
        scaled, harmless = x, tf.zeros_like(x)
        if self._standardize is not None:
            scaled = self._standardize.inverse(x)
            harmless += tf.cast(self._standardize.shift, x.dtype)
        missing = self.missing_rows(x, context)
        outside = tf.reduce_any(tf.abs(scaled) > _LARGEST, axis=axes)
        shape = tf.concat([tf.shape(outside), [1] * len(axes)], 0)
        x = tf.where(tf.reshape(outside, shape), harmless, x)
        z, log_det, undefined = support.inverse_and_log_det(self.bijector, x, len(axes), context)
        log_prob = self._latent_log_prob(z) + log_det
        outside |= undefined
        log_prob = tf.where(outside, tf.constant(-math.inf, log_prob.dtype), log_prob)
        return tf.where(missing, tf.constant(math.nan, log_prob.dtype), log_prob)

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their log-density at temperature 1, in one pass, as a graph function."""
        z = self._draw_latents(seed, temperature)
        x, log_det = joint.forward_and_log_det(self.bijector, z, len(self._latent_shape), context)
        return x, self._latent_log_prob(z) - log_det

    def _draw_latents(self, seed, temperature):
        z = tail_rows(seed, self._latent_size, self.base.tail_quantile)
        z = tf.reshape(z, tf.concat([tf.shape(z)[:1], self._latent_shape], 0))
        if self.supports_temperature:
            z *= tf.reshape(temperature, [-1] + [1] * len(self._latent_shape))
        return z

    def encode_fn(self, x, context=None):
        """Data to latents, as a graph function."""
        return self.bijector.inverse(tf.identity(x), **joint.keywords_for(self.bijector, context))

    def decode_fn(self, z, context=None):
        """Latents to data, as a graph function."""
        return self.bijector.forward(tf.identity(z), **joint.keywords_for(self.bijector, context))

    # What a flow adds to the interface.

    def encode(self, x, context=None) -> tf.Tensor:
        """Latents `[batch, *latent]` of data `[batch, *event]`."""
        return self._compiled("encode_fn", *self._unpack((x, context))[:2])

    def decode(self, z, context=None) -> tf.Tensor:
        """Data `[batch, *event]` of latents `[batch, *latent]`."""
        z = tf.cast(tf.convert_to_tensor(z), tf.float32)
        if not z.shape.is_compatible_with((None, *self._latent_shape)):
            expected = ", ".join(map(str, self._latent_shape))
            raise ValueError(f"z: expected shape [batch, {expected}], got {tuple(z.shape)}")
        return self._compiled("decode_fn", z, self._check_context(context, z.shape[0]))

    def interpolate(self, x0, x1, steps: int, context=None) -> tf.Tensor:
        """Data on the straight line between the latents of two data points.

        Args:
          x0, x1: `[*event]` each: the ends.
          steps: number of points, the ends included, at least 2.
          context: for a conditional flow, `[*context_shape]`, one for all points; or
            `[2, *context_shape]`, one for each end, mixed like the latents.

        Returns:
          `[steps, *event]`.
        """
        steps = whole_number("steps", steps, 2)
        weight = np.linspace(0.0, 1.0, steps, dtype=np.float32)
        weights = np.stack([1.0 - weight, weight], axis=1)
        ends = []
        for name, x in (("x0", x0), ("x1", x1)):
            ends.append(self._check_x(name, [x]))
            if not tf.inside_function():
                self.check_data(name, ends[-1])
        ends = tf.concat(ends, 0)
        return self._mix(ends, weights, weights, context)

    def manifold(self, x, steps: int = 8, context=None) -> tf.Tensor:
        """Data on the two-angle manifold through the latents z1 to z4 of four data points.

        The latents are `cos(a) (cos(b) z1 + sin(b) z2) + sin(a) (cos(b) z3 + sin(b) z4)`. The
        squared weights sum to 1: if z1 to z4 are independent normal, so is each of these latents.

        Args:
          x: `[4, *event]`.
          steps: number of values of each angle, `2 pi i / steps`. If 4 divides it, the four data
            points are among the results, at the angles 0 and pi / 2.
          context: for a conditional flow, `[*context_shape]`, one for all points; or
            `[4, *context_shape]`, one for each datum, mixed by the squares of the weights.

        Returns:
          `[steps, steps, *event]`, the angle a along the first axis.

        Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016 (section
        4.2). https://arxiv.org/abs/1605.08803
        """
        steps = whole_number("steps", steps, 2)
        x = as_tensor(x)
        if x.shape[:1] != 4:
            raise ValueError(f"x: expected four data points, got shape {tuple(x.shape)}")
        angle = 2.0 * np.pi * np.arange(steps) / steps
        a, b = (v.reshape(-1, 1) for v in np.meshgrid(angle, angle, indexing="ij"))
        weights = np.concatenate(
            [np.cos(a) * np.cos(b), np.cos(a) * np.sin(b)]
            + [np.sin(a) * np.cos(b), np.sin(a) * np.sin(b)],
            axis=1,
        ).astype(np.float32)
        points = self._mix(x, weights, weights**2, context)
        return tf.reshape(points, [steps, steps, *self._event_shape])

    def _mix(self, x, weights, shares, context):
        """Decodes weighted sums of the latents of `x`, with contexts mixed by `shares`.

        Args:
          x: `[m, *event]`.
          weights, shares: `[n, m]`.
          context: `None`, `[*context_shape]` or `[m, *context_shape]`.
        """
        count, points = weights.shape[1], None
        if context is not None:
            context = tf.cast(tf.convert_to_tensor(context), tf.float32)
            if context.shape == self.context_shape:
                context = tf.stack([context] * count)
            points = tf.tensordot(tf.constant(shares), context, 1)
        return self.decode(tf.tensordot(tf.constant(weights), self.encode(x, context), 1), points)

    def save(self, filepath, overwrite=True, **kwargs):
        """Keras's `save`; a flow without a config raises an error before anything is written."""
        self.get_config()
        super().save(filepath, overwrite=overwrite, **kwargs)

    def get_config(self):
        """The constructor's arguments; only the named families have them as plain values."""
        raise ValueError(
            f"get_config: a Flow over {self.bijector.name} cannot be written as a config; "
            "save its weights, or register a subclass that builds the bijector itself"
        )
