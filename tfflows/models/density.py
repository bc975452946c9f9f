"""The interface of every model: a density that trains with plain Keras."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfflows.random import row_seeds, training_noise


class DensityModel(keras.Model):
    """A Keras model with a log-density and a sampler.

    A subclass defines `log_prob_fn`, `draw_and_log_prob`, `draw` and the properties `event_shape`,
    `context_shape` and `supports_temperature`, all in plain TensorFlow: no checks, no XLA, any
    batch size. From these come the public methods, training and the export.

    `fit` and `evaluate` take a `tf.data.Dataset` of `x` or of `(x, context)`; the loss is the mean
    negative log-likelihood, in nats. Under `tf.distribute`, replicas that share a batch give the
    gradient of the whole batch, whatever its split, and `evaluate` weights rows, not batches.

    Args:
      seed: training noise (dropout) is a function of (seed, step).
      name: name of the model.
      **kwargs: passed to `keras.Model`.
    """

    supports_temperature = True

    def __init__(self, seed: int = 0, name: str | None = None, **kwargs):
        # float32 and no autocast: under a mixed-precision policy Keras would cast the data.
        super().__init__(name=name, dtype="float32", autocast=False, **kwargs)
        self.seed = int(seed)
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

    @property
    def initialized(self) -> bool:
        """Whether everything that is set from data has been."""
        return True

    def initialize(self, x, context=None) -> None:
        """Sets from the batch `x` what is set from data, and has not been yet."""

    # The public interface.

    def log_prob(self, x, context=None) -> tf.Tensor:
        """Log-density of each row.

        Args:
          x: `[batch, *event]`.
          context: `[batch, *context_shape]` for a conditional model.

        Returns:
          `[batch]`, nats; -inf outside of the support, NaN for a row that holds NaN.

        Raises:
          ValueError: for another event shape or dtype, or a missing or needless context.
        """
        x, context = self._check_x("x", x), self._check_context(context)
        return self._compiled("log_prob_fn", x, context)

    def sample(self, n, seed=None, start=0, temperature=1.0, context=None) -> tf.Tensor:
        """Draws `n` rows; row i depends on `(seed, start + i)` (and its context) alone.

        Args:
          n: number of rows.
          seed: key of the draws, an int; `None` takes a fresh one at every call.
          start: number of the first draw.
          temperature: scale of a normal base.
          context: `[n, *context_shape]` for a conditional model.

        Returns:
          `[n, *event]`.

        Raises:
          ValueError: for a model whose data-dependent part is not initialised, a temperature
            that the base does not support, or a missing or needless context.
        """
        arguments = self._check_draw(n, seed, start, temperature, context)
        return self._compiled("draw", *arguments)

    def sample_and_log_prob(self, n, seed=None, start=0, temperature=1.0, context=None):
        """`sample`, and the log-density `[n]` of each row at temperature 1, in one pass."""
        arguments = self._check_draw(n, seed, start, temperature, context)
        return self._compiled("draw_and_log_prob", *arguments)

    def call(self, inputs, context=None):
        """The log-density of `inputs`, so that `predict` scores a data set."""
        if isinstance(inputs, tuple):
            inputs, context = inputs
        return self.log_prob_fn(inputs, context)

    def _compiled(self, method: str, *arguments):
        """Runs the named graph function, traced once for all batch sizes; `None`s are left out."""
        present = [argument is not None for argument in arguments]
        functions = self.__dict__.setdefault("_functions", {})
        if method not in functions:

            def run(*given):
                given = iter(given)
                return getattr(self, method)(*(next(given) if p else None for p in present))

            functions[method] = tf.function(run).get_concrete_function(
                *(
                    tf.TensorSpec([None, *argument.shape[1:]], argument.dtype)
                    for argument in arguments
                    if argument is not None
                )
            )
        return functions[method](*(argument for argument in arguments if argument is not None))

    # Checks.

    def _check_x(self, name, x):
        x = tf.convert_to_tensor(x)
        expected = tuple(self.event_shape)
        if x.shape.rank != 1 + len(expected) or not x.shape[1:].is_compatible_with(expected):
            raise ValueError(
                f"{name}: expected shape [batch, {', '.join(map(str, expected))}], "
                f"got {tuple(x.shape)}"
            )
        if x.dtype != tf.float32:
            if not (x.dtype.is_floating or x.dtype.is_integer):
                raise ValueError(f"{name}: expected numbers, got dtype {x.dtype.name}")
            x = tf.cast(x, tf.float32)
        return tf.identity(x)  # a new tensor: TFP's cache may hold the old one's values

    def _check_context(self, context):
        if self.context_shape is None:
            if context is not None:
                raise ValueError("context: the model takes none, got one")
            return None
        expected = ", ".join(map(str, ("batch", *self.context_shape)))
        if context is None:
            raise ValueError(f"context: the model needs one of shape [{expected}], got None")
        context = tf.cast(tf.convert_to_tensor(context), tf.float32)
        if not context.shape.is_compatible_with((None, *self.context_shape)):
            raise ValueError(f"context: expected shape [{expected}], got {tuple(context.shape)}")
        return tf.identity(context)

    def _check_draw(self, n, seed, start, temperature, context):
        if isinstance(n, (int, np.integer)) and n < 0:
            raise ValueError(f"n: expected a count, got {n}")
        if isinstance(temperature, (int, float)):
            if temperature < 0:
                raise ValueError(f"temperature: expected a number >= 0, got {temperature}")
            if temperature != 1 and not self.supports_temperature:
                raise ValueError(
                    f"temperature: only a normal base can be scaled, got {temperature}"
                )
        with tf.init_scope():
            if not self.initialized:
                raise ValueError(
                    "sample: the model's ActNorm layers have seen no data; call "
                    "initialize(x) with a batch, train with fit, or load weights first"
                )
        context = self._check_context(context)
        seeds = row_seeds(n, seed, start)
        scale = tf.fill(tf.shape(seeds)[:1], tf.cast(temperature, tf.float32))
        return seeds, scale, context

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
          target_log_prob: an unnormalised log-density `[batch, *event] -> [batch]`. With it the
            model is fitted to that density by reverse Kullback-Leibler divergence, on a data set
            of draw numbers (`int64` `[batch]`); the loss is `mean(log q(x) - target(x))`.
          **kwargs: Keras's (`jit_compile`, `steps_per_execution`, `run_eagerly`, ...).
        """
        self._target_log_prob = target_log_prob
        super().compile(optimizer=optimizer, loss=None, **kwargs)
        self._loss_mean = keras.metrics.Mean(name="loss")

    def get_compile_config(self):
        """How training was configured, or nothing where a Python function is part of it."""
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

    def row_losses(self, data) -> tf.Tensor:
        """The loss of each row of a batch, nats."""
        if self._target_log_prob is not None:
            number = tf.cast(data, tf.int64)
            seeds = tf.stack([tf.fill(tf.shape(number), tf.cast(self.seed, tf.int64)), number], 1)
            x, log_q = self.draw_and_log_prob(seeds, tf.ones(tf.shape(number), tf.float32))
            return log_q - self._target_log_prob(x)
        x, context = data if isinstance(data, tuple) else (data, None)
        return -self.log_prob_fn(tf.identity(x), context)

    def train_step(self, data):
        """One step on one replica's share of a batch (Keras calls it)."""
        replica = tf.distribute.get_replica_context()
        number = 0 if replica is None else replica.replica_id_in_sync_group
        with tf.GradientTape() as tape:
            with training_noise(self.seed, self.optimizer.iterations.value, number):
                losses = self.row_losses(data)
            # Keras sums gradients over replicas: a replica's share is its rows of all rows.
            rows = _over_replicas(tf.cast(tf.shape(losses)[0], tf.float32))
            loss = self.optimizer.scale_loss(tf.reduce_sum(losses) / rows)
        variables = self.trainable_variables
        gradients = _clip_over_replicas(self.optimizer, tape.gradient(loss, variables))
        self.optimizer.apply(gradients, variables)
        return self._log(losses, rows)

    def test_step(self, data):
        """The loss on one replica's share of a batch (Keras calls it)."""
        losses = self.row_losses(data)
        return self._log(losses, _over_replicas(tf.cast(tf.shape(losses)[0], tf.float32)))

    def predict_step(self, data):
        """Log-densities of a batch (Keras calls it)."""
        x, context = data if isinstance(data, tuple) else (data, None)
        return self.log_prob_fn(tf.identity(x), context)

    def _log(self, losses, rows):
        total = _over_replicas(tf.reduce_sum(losses))
        self._loss_mean.update_state(total / tf.maximum(rows, 1.0), sample_weight=rows)
        result = self._loss_mean.result()
        strategy = tf.distribute.get_strategy()
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras averages a multi-worker strategy's logs along their first axis.
            result = tf.reshape(result, [1])
        return {"loss": result}

    def fit(self, x=None, **kwargs):
        """Keras's `fit`, after initialising from the first batch what is set from data."""
        if not self.initialized and self._target_log_prob is None and x is not None:
            first = x if isinstance(x, (np.ndarray, tf.Tensor)) else next(iter(x))
            first, context = first if isinstance(first, tuple) else (first, None)
            self.initialize(first, context)
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras warns that it cannot
        return super().fit(x, **kwargs)


def _over_replicas(value):
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return value
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, value)


def _clip_over_replicas(optimizer, gradients):
    """Gradients clipped as their sum over replicas is to be.

    Keras clips each replica's share and then sums the shares; what comes from here is so small that
    it clips it no more.
    """
    replica = tf.distribute.get_replica_context()
    clips = optimizer.clipnorm or optimizer.global_clipnorm or optimizer.clipvalue
    if not clips or replica is None or replica.num_replicas_in_sync == 1:
        return gradients
    total = [g if g is None else _over_replicas(g) for g in gradients]
    clipped = optimizer._clip_gradients(total)
    return [g if g is None else g / replica.num_replicas_in_sync for g in clipped]
