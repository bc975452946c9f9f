"""The interface of every model: a density that trains with plain Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfflows.checks import check_seed, whole_number
from tfflows.models.compiled import Compiled
from tfflows.models.feeding import Feeding, as_tensor
from tfflows.models.replicas import share_gradients
from tfflows.random import row_seeds, training_noise


class DensityModel(Compiled, Feeding, keras.Model):
    """A Keras model with a log-density and a sampler.

    A subclass defines `log_prob_fn`, `draw_and_log_prob`, `draw` and the properties `event_shape`,
    `context_shape` and `supports_temperature`, all in plain TensorFlow: no checks, no XLA, any
    batch size. The public methods, training and the export build on these.

    `fit` and `evaluate` take a `tf.data.Dataset` of `x` or of `(x, context)`; the loss is the mean
    negative log-likelihood, in nats. Under `tf.distribute`, replicas that share a batch compute the
    gradient of the whole batch, however it is split, and `evaluate` weights rows, not batches.

    Args:
      seed: training noise (dropout) is a function of (seed, step).
      name: name of the model.
      **kwargs: passed to `keras.Model`.
    """

    modality = "vectors"  # the kind of its data, one of the zoo's kinds
    supports_temperature = True
    has_latents = False  # whether it has `encode` and `decode`
    samples: int | None = None  # draws of noise in one `log_prob`; None if `log_prob` is exact
    event_dtype = tf.float32  # dtype of data in an export, and of samples
    # What the user must do if the model's data-dependent part is not set.
    _uninitialized = "the model has seen no data; call initialize(x), or load weights first"

    def __init__(self, seed: int = 0, name: str | None = None, **kwargs):
        if keras.config.dtype_policy().name == "float64":
            raise ValueError(
                "precision: models compute in float32 (only the offsets of tables are "
                "subtracted in float64), got float64, Keras's global policy; set another "
                "policy, such as float32"
            )
        # float32 and no autocast: under a mixed-precision policy Keras would cast the data.
        super().__init__(name=name, dtype="float32", autocast=False, **kwargs)
        self.seed = check_seed(seed)
        self._target_log_prob = None

    # What a subclass defines.

    def log_prob_fn(self, x, context=None):
        """Log-density `[batch]`, nats, as a graph function."""
        raise NotImplementedError

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their log-density at temperature 1, in one pass, as a graph function."""
        raise NotImplementedError

    def draw(self, seed, temperature, context=None):
        """Samples `[batch, *event]` for `seed` `int64 [batch, 2]`, as a graph function."""
        return self.draw_and_log_prob(seed, temperature, context)[0]

    def extra_signatures(self) -> dict[str, tuple[Callable, list[tf.TensorSpec]]]:
        """Signatures of an export besides those of all models, by their names.

        Returns:
          A graph function, which returns a dict of tensors, and the specs of its arguments; both
          have the batch first.
        """
        return {}

    def extra_files(self) -> dict[str, bytes]:
        """Files of an export that clients need besides the graph, by their names."""
        return {}

    @property
    def initialized(self) -> bool:
        """Whether everything that is set from data has been set."""
        return True

    def initialize(self, x, context=None) -> None:
        """Sets everything that comes from data and is not set yet, from the batch `x`."""

    def data_config(self) -> dict:
        """What the model knows of its data, as entries of its config beside its arguments."""
        return {}

    def missing_rows(self, x, context):
        """Which rows contain NaN, or have a context that does: `[batch]`, as a graph function."""
        missing = tf.reduce_any(tf.math.is_nan(x), axis=list(range(1, x.shape.rank)))
        if context is not None:
            axes = list(range(-len(self.context_shape), 0))
            missing |= tf.reduce_any(tf.math.is_nan(context), axis=axes)
        return missing

    # The public interface.

    def log_prob(self, x, context=None) -> tf.Tensor:
        """Log-density of each row.

        Args:
          x: `[batch, *event]`; for a model of real numbers also a pandas DataFrame, whose columns
            are matched by name.
          context: `[batch, *context_shape]` for a conditional model.

        Returns:
          `[batch]`, nats; -inf outside of the support, NaN for a row that holds NaN.

        Raises:
          ValueError: for a wrong event shape or dtype, or a missing or unexpected context.
        """
        x, context, _ = self._unpack((x, context))
        return self._compiled("log_prob_fn", x, context)

    def sample(self, n, seed=None, start=0, temperature=1.0, context=None) -> tf.Tensor:
        """Draws `n` rows; row i depends on `(seed, start + i)` (and its context) alone.

        Args:
          n: number of rows.
          seed: key of the draws, an int; `None` takes a fresh one at every call.
          start: number of the first draw.
          temperature: scale of a flow's normal or logistic base; 1 for any other model.
          context: `[n, *context_shape]` for a conditional model.

        Returns:
          `[n, *event]`.

        Raises:
          ValueError: for a model whose data-dependent part is not initialised, a temperature
            that the model does not support, or a missing or unexpected context.
        """
        arguments = self._check_draw(n, seed, start, temperature, context)
        return self._compiled("draw", *arguments)

    def sample_and_log_prob(self, n, seed=None, start=0, temperature=1.0, context=None):
        """`sample`, and the log-density `[n]` of each row at temperature 1, in one pass."""
        arguments = self._check_draw(n, seed, start, temperature, context)
        return self._compiled("draw_and_log_prob", *arguments)

    def call(self, inputs, context=None):
        """The log-density of `inputs`, so that `predict` scores a data set."""
        x, context, _ = self._unpack(inputs if context is None else (inputs, context))
        return self.log_prob_fn(x, context)

    # Checks.

    def _check_x(self, name, x):
        x = as_tensor(x)
        self._check_spec(name, x)
        exact = x.dtype.is_integer or x.dtype == tf.float64
        dtype = tf.float64 if self.takes_float64 and exact else tf.float32
        return tf.identity(tf.cast(x, dtype))  # TFP's cache may hold the old tensor's values

    def _check_spec(self, name, x):
        """Raises a ValueError unless `x` has the shape and dtype of `[batch, *event]` numbers."""
        x, expected = tf.TensorSpec(x.shape, x.dtype), tuple(self.event_shape)
        if x.shape.rank != 1 + len(expected) or not x.shape[1:].is_compatible_with(expected):
            raise ValueError(
                f"{name}: expected shape [batch, {', '.join(map(str, expected))}], "
                f"got {tuple(x.shape)}"
            )
        if not (x.dtype.is_floating or x.dtype.is_integer):
            raise ValueError(f"{name}: expected numbers, got dtype {x.dtype.name}")

    def _check_context(self, context, rows=None):
        if self.context_shape is None:
            if context is not None:
                raise ValueError("context: the model takes no context, got one")
            return None
        expected = ", ".join(map(str, ("batch", *self.context_shape)))
        if context is None:
            raise ValueError(f"context: the model expects shape [{expected}], got None")
        context = tf.cast(tf.convert_to_tensor(context), tf.float32)
        if not context.shape.is_compatible_with((rows, *self.context_shape)):
            count = "" if rows is None else f" with a batch of {rows}"
            raise ValueError(
                f"context: expected shape [{expected}]{count}, got {tuple(context.shape)}"
            )
        return tf.identity(context)

    def _check_draw(self, n, seed, start, temperature, context):
        n, start = whole_number("n", n, 0), whole_number("start", start, 0)
        seed = None if seed is None else whole_number("seed", seed, -(2**63))
        if not tf.is_tensor(n) and not tf.is_tensor(start) and start + n > 2**63:
            raise ValueError(f"start: expected start + n of at most 2**63, got {start} + {n}")
        try:
            scale = tf.get_static_value(tf.cast(tf.convert_to_tensor(temperature), tf.float32))
        except (TypeError, ValueError, tf.errors.UnimplementedError):
            raise ValueError(f"temperature: expected a number >= 0, got {temperature!r}") from None
        if scale is not None:
            if not np.ndim(scale) == 0 or not 0 <= scale < np.inf:
                raise ValueError(f"temperature: expected a number >= 0, got {temperature}")
            if scale != 1 and not self.supports_temperature:
                raise ValueError(
                    f"temperature: expected 1, as {self.name} has no normal or logistic base to "
                    f"scale, got {temperature}"
                )
        with tf.init_scope():
            if not self.initialized:
                raise ValueError(f"sample: {self._uninitialized}")
        context = self._check_context(context, None if tf.is_tensor(n) else n)
        seeds = row_seeds(n, seed, start)
        scale = tf.fill(tf.shape(seeds)[:1], tf.cast(temperature, tf.float32))
        return seeds, scale, context

    def _unpack(self, data):
        """Rows, context and weights of a batch as Keras passes it."""
        x, context, weights = keras.utils.unpack_x_y_sample_weight(data)
        x = self._check_x("x", x)
        return x, self._check_context(context, x.shape[0]), weights

    # Training, with plain Keras.

    def compile(
        self,
        optimizer="adam",
        target_log_prob: Callable[[tf.Tensor], tf.Tensor] | None = None,
        **kwargs,
    ):
        """Configures training.

        Args:
          optimizer: a Keras optimizer.
          target_log_prob: an unnormalised log-density `[batch, *event] -> [batch]`. If given,
            the model is fitted to that density by reverse Kullback-Leibler divergence, on a data
            set of draw numbers (`int64` `[batch]`); the loss is `mean(log q(x) - target(x))`.
          **kwargs: Keras's (`jit_compile`, `steps_per_execution`, `run_eagerly`, ...).
        """
        self._target_log_prob = target_log_prob
        super().compile(optimizer=optimizer, loss=None, **kwargs)
        self._loss_mean = keras.metrics.Mean(name="loss")

    # A weights file holds the model alone: Keras would add the optimizer's, twice as many numbers.

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Keras's `save_weights`, for the model alone; `save` keeps the optimizer too."""
        with self._without_optimizer():
            super().save_weights(filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath, **kwargs):
        """Keras's `load_weights`, for the model alone."""
        with self._without_optimizer():
            super().load_weights(filepath, **kwargs)

    @contextlib.contextmanager
    def _without_optimizer(self):
        held = {name: self.__dict__.pop(name) for name in ("optimizer",) if name in self.__dict__}
        try:
            yield
        finally:
            self.__dict__.update(held)

    def get_compile_config(self):
        """How training was configured; None if a Python function is part of it."""
        return None if self._target_log_prob is not None else super().get_compile_config()

    def compile_from_config(self, config):
        """Configures training as it was when the model was saved."""
        config = keras.saving.deserialize_keras_object(config)
        names = ("optimizer", "jit_compile", "run_eagerly", "steps_per_execution")
        self.compile(**{name: config[name] for name in names if name in config})
        if hasattr(self, "optimizer") and self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self):
        """The mean loss, over rows."""
        mean = getattr(self, "_loss_mean", None)
        return [] if mean is None else [mean]

    def row_losses(self, data) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss of each row of a batch, nats, and the weight of each row."""
        if self._target_log_prob is not None:
            number = tf.cast(data, tf.int64)
            seeds = tf.stack([tf.fill(tf.shape(number), tf.cast(self.seed, tf.int64)), number], 1)
            x, log_q = self.draw_and_log_prob(seeds, tf.ones(tf.shape(number), tf.float32))
            return log_q - self._target_log_prob(x), tf.ones_like(log_q)
        x, context, weights = self._unpack(data)
        losses = -self.log_prob_fn(x, context)
        if weights is None:
            return losses, tf.ones_like(losses)
        return losses, tf.cast(tf.reshape(weights, tf.shape(losses)), losses.dtype)

    def train_step(self, data):
        """One step on one replica's share of a batch (Keras calls it)."""
        replica = tf.distribute.get_replica_context()
        number = 0 if replica is None else replica.replica_id_in_sync_group
        step = tf.convert_to_tensor(self.optimizer.iterations)
        with tf.GradientTape() as tape:
            with training_noise(self.seed, step, number):
                losses, weights = self.row_losses(data)
            total, rows = tf.reduce_sum(losses * weights), tf.reduce_sum(weights)
            # The conditioners' regularisation losses apply to the whole batch.
            penalty = tf.add_n([tf.cast(loss, total.dtype) for loss in self.losses] or [0.0])
            objective = self.optimizer.scale_loss(total + rows * penalty)
        variables = self.trainable_variables
        gradients = tape.gradient(objective, variables)
        gradients, total, rows = share_gradients(self.optimizer, gradients, total, rows)
        self.optimizer.apply(gradients, variables)
        return self._log(total, rows)

    def test_step(self, data):
        """The loss on one replica's share of a batch (Keras calls it)."""
        losses, weights = self.row_losses(data)
        _, total, rows = share_gradients(
            None, [], tf.reduce_sum(losses * weights), tf.reduce_sum(weights)
        )
        return self._log(total, rows)

    def predict_step(self, data):
        """Log-densities of a batch (Keras calls it)."""
        x, context, _ = self._unpack(data)
        return self.log_prob_fn(x, context)

    def _log(self, total, rows):
        self._loss_mean.update_state(tf.math.divide_no_nan(total, rows), sample_weight=rows)
        result = self._loss_mean.result()
        strategy = tf.distribute.get_strategy()
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras averages a multi-worker strategy's logs along their first axis.
            result = tf.reshape(result, [1])
        return {"loss": result}
