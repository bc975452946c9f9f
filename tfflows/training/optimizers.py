"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import math

import keras
import tensorflow as tf


class _FusedUpdate:
    """Adam's step of a variable as one TensorFlow operation, instead of Keras's 40 or so.

    The numbers are Keras's up to rounding. A flow has hundreds of small variables, so the number of
    operations dominates the time of a step and of tracing it.
    """

    def update_step(self, gradient, variable, learning_rate):
        """See `keras.optimizers.Adam`."""
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            return super().update_step(gradient, variable, learning_rate)
        index, dtype = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


@keras.saving.register_keras_serializable("tfflows")
class Adam(_FusedUpdate, keras.optimizers.Adam):
    """`keras.optimizers.Adam` with fewer operations; the same arguments, variables and steps."""


@keras.saving.register_keras_serializable("tfflows")
class AdamW(_FusedUpdate, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` with fewer operations; the same arguments, variables and steps."""


_OPTIMIZERS = {
    "adam": Adam,
    "adamax": keras.optimizers.Adamax,
    "adamw": AdamW,
    "lion": keras.optimizers.Lion,
    "muon": keras.optimizers.Muon,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
_MOMENTUM = ("rmsprop", "sgd")
SCHEDULES = ("constant", "cosine")


def learning_rate(schedule: str, peak: float, steps: int, warmup: int = 0):
    """A learning rate, or a schedule of one.

    Args:
      schedule: `constant`, or `cosine` for a decay to 0 at the last step.
      peak: the rate after the warm-up.
      steps: steps of the whole run.
      warmup: steps of a linear rise from 0.

    Raises:
      ValueError: for another schedule, a rate that is not positive, or a warm-up longer than the
        run.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule: expected one of {', '.join(SCHEDULES)}, got {schedule!r}")
    if not 0 < peak < math.inf:
        raise ValueError(f"learning_rate: expected a positive number, got {peak}")
    if not 0 <= warmup <= steps:
        raise ValueError(f"warmup: expected 0 to {steps} steps, got {warmup}")
    if schedule == "constant" and not warmup:
        return peak
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else peak,
        decay_steps=max(steps - warmup, 1),
        alpha=0.0 if schedule == "cosine" else 1.0,
        warmup_target=peak if warmup else None,
        warmup_steps=warmup,
    )


def average_momentum(ema: float, steps: int) -> float:
    """The momentum of a moving average of the weights, reduced for a short run.

    An average decays by a factor `ema` a step, so after a short run it would consist mostly of the
    initial weights. The reduced momentum goes back over at most a twelfth of the run, and keeps
    `exp(-12)` of the initial weights.

    Args:
      ema: the momentum of a long run; 0 for no average.
      steps: steps of the run.
    """
    return min(ema, max(0.0, 1.0 - 12.0 / steps)) if 0.0 < ema < 1.0 else ema


def optimizer(
    name: str,
    learning_rate=1e-3,
    weight_decay: float = 0.0,
    momentum: float = 0.9,
    clip_norm: float | None = None,
    ema: float = 0.0,
) -> keras.optimizers.Optimizer:
    """Makes the Keras optimizer of the given name.

    Args:
      name: adam, adamax, adamw, lion, muon, nadam, rmsprop or sgd.
      learning_rate: a rate or a Keras schedule.
      weight_decay: decoupled weight decay; 0 for none.
      momentum: momentum of sgd and rmsprop.
      clip_norm: bound on the norm of the whole gradient; 0 or `None` for none.
      ema: momentum of an exponential moving average of the weights; 0 for none.

    Raises:
      ValueError: for another name or numbers out of range.
    """
    if name not in _OPTIMIZERS:
        raise ValueError(f"optimizer: expected one of {', '.join(_OPTIMIZERS)}, got {name!r}")
    if not 0 <= weight_decay < math.inf:
        raise ValueError(f"weight_decay: expected 0 or more, got {weight_decay}")
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum: expected 0 to 1, got {momentum}")
    if clip_norm is not None and not 0 <= clip_norm < math.inf:
        raise ValueError(f"clip_norm: expected 0 or more, got {clip_norm}")
    if not 0 <= ema < 1:
        raise ValueError(f"ema: expected at least 0 and below 1, got {ema}")
    keywords = {"momentum": momentum} if name in _MOMENTUM else {}
    # Keras's AdamW does not accept None; elsewhere 0 would cost a multiplication per variable.
    decay = weight_decay or (0.0 if name == "adamw" else None)
    if name == "muon":  # its Adam, for variables other than matrices, has its own decay
        keywords["adam_weight_decay"] = decay
    if ema:
        keywords |= {"use_ema": True, "ema_momentum": ema}
    return _OPTIMIZERS[name](
        learning_rate=learning_rate,
        weight_decay=decay,
        global_clipnorm=clip_norm or None,
        **keywords,
    )
