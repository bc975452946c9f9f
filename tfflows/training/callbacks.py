"""Keras callbacks for a run that can be killed at any instant and restarted.

`Checkpoint` comes last and saves the callbacks that have a state (`state` and `restore`). Steps are
counted over the whole run; an epoch is the stretch from one checkpoint to the next.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from tfflows import compat, files
from tfflows.training import checkpoint
from tfflows.training.progress import Figure, figures_of


class NotFiniteError(ValueError):
    """The loss or the weights are no longer finite."""


class _Stepped(keras.callbacks.Callback):
    """Knows the current step of the run.

    An epoch's number gives its place in the run. The first epoch after a restart may be short: the
    run may have ended in the middle of that epoch, with fewer `steps` than it now has.
    """

    def __init__(self, epoch_steps: int, steps: int):
        super().__init__()
        self.epoch_steps, self.steps = epoch_steps, steps
        self.done = 0  # steps done before this fit

    def step_in(self, epoch: int, batch: int) -> int:
        """Steps done when `batch` (from 0) of `epoch` is over."""
        return max(epoch * self.epoch_steps, self.done) + batch + 1

    def step_after(self, epoch: int) -> int:
        """Steps done when `epoch` (from 0) is over."""
        return min((epoch + 1) * self.epoch_steps, self.steps)


class Guard(_Stepped):
    """Stops at the last step, and raises if the loss is NaN or infinite.

    Args:
      epoch_steps, steps: lengths of an epoch and of the run.
      steps_per_execution: steps in one call of TensorFlow.
      path: file of the checkpoint.
      diagnose: function from the first and the last step at which the loss may have broken to a
        reason for the message; `None` gives no reason.
    """

    def __init__(
        self,
        epoch_steps: int,
        steps: int,
        steps_per_execution: int,
        path,
        diagnose: Callable[[int, int], str] | None = None,
    ):
        super().__init__(epoch_steps, steps)
        self.steps_per_execution, self.path = steps_per_execution, pathlib.Path(path)
        self._diagnose = diagnose
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Checks the loss: the epoch's mean so far, which is not finite once a step's is not."""
        step = self.step_in(self._epoch, batch)
        loss = float(np.ravel((logs or {}).get("loss", 0.0))[0])
        if not math.isfinite(loss):
            why = self._why(step - self.steps_per_execution + 1, step)
            raise NotFiniteError(f"loss: {loss} at {self._where(step)}{why}; {self._kept()}")
        if step >= self.steps:
            self.model.stop_training = True

    def check_weights(self, step: int) -> None:
        """Raises if a weight is not finite, so that no bad checkpoint is written."""
        for variable in self.model.trainable_weights:
            if not np.isfinite(keras.ops.convert_to_numpy(variable.value)).all():
                raise NotFiniteError(
                    f"loss: NaN or infinite after step {step}, in weights {variable.path}"
                    f"{self._why(step, step)}; {self._kept()}"
                )

    def _why(self, first: int, last: int) -> str:
        reason = "" if self._diagnose is None else self._diagnose(first, last)
        return f"; {reason}" if reason else ""

    def _where(self, step: int) -> str:
        first = step - self.steps_per_execution + 1
        return f"step {step}" if first == step else f"one of the steps {first} to {step}"

    def _kept(self) -> str:
        if not self.path.exists():
            return "no checkpoint has been written yet"
        return f"the checkpoint of step {checkpoint.read_state(self.path)['step']} is kept"


class MetricsLog(_Stepped):
    """Appends a line to metrics.jsonl at the end of each epoch: step, losses, rate, seconds.

    Args:
      epoch_steps, steps: lengths of an epoch and of the run.
      path: the file.
      figures: figures to report for each loss, besides nats.
    """

    def __init__(self, epoch_steps: int, steps: int, path, figures: Sequence[Figure] = ()):
        super().__init__(epoch_steps, steps)
        self.path, self._figures = pathlib.Path(path), figures
        self.restore({"bytes": 0, "seconds": 0.0})

    def state(self) -> dict:
        """Length of the file, and the training time so far."""
        return {"bytes": self._bytes, "seconds": self.seconds}

    def restore(self, state: dict) -> None:
        """Restores a state; `on_train_begin` cuts the file to its length at the checkpoint."""
        self._bytes, self._before = state["bytes"], state["seconds"]
        self._since = None

    @property
    def seconds(self) -> float:
        """Training time, including that of earlier processes."""
        return self._before + (0.0 if self._since is None else time.monotonic() - self._since)

    def on_train_begin(self, logs=None):
        """Starts the clock and cuts the file."""
        self._since = time.monotonic()
        with open(self.path, "ab") as file:
            file.truncate(self._bytes)

    def on_train_end(self, logs=None):
        """Stops the clock."""
        self._before, self._since = self.seconds, None

    def on_epoch_end(self, epoch, logs=None):
        """Appends the line."""
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        record = {"step": self.step_after(epoch)}
        for name, value in (logs or {}).items():
            record[name] = float(np.ravel(value)[0])
        record |= figures_of(self._figures, logs)
        record |= {"learning_rate": rate, "seconds": round(self.seconds, 3)}
        line = (json.dumps(record) + "\n").encode()
        with open(self.path, "ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._bytes += len(line)


class Best(_Stepped):
    """Keeps the weights with the lowest validation loss, and can stop when it no longer falls.

    Args:
      epoch_steps, steps: lengths of an epoch and of the run.
      path: file of the weights; `None` writes none.
      patience: steps without a new best after which training stops; `None` for no limit.
    """

    def __init__(self, epoch_steps: int, steps: int, path, patience: int | None = None):
        super().__init__(epoch_steps, steps)
        self.path, self.patience = path, patience
        self.restore({"loss": None, "step": 0, "stopped": False})

    def state(self) -> dict:
        """The lowest loss, its step, and whether training has stopped for lack of a lower one."""
        return {"loss": self.loss, "step": self.step, "stopped": self.stopped}

    def restore(self, state: dict) -> None:
        """Restores a saved state."""
        self.loss, self.step, self.stopped = state["loss"], state["step"], state["stopped"]

    def reconsider(self, step: int) -> None:
        """Cancels an early stop if the current patience has not run out at `step`."""
        if not self.patience or step - self.step < self.patience:
            self.stopped = False

    def on_epoch_end(self, epoch, logs=None):
        """Compares the validation loss, if there is one."""
        if "val_loss" not in (logs or {}):
            return
        loss = float(np.ravel(logs["val_loss"])[0])
        step = self.step_after(epoch)
        if not math.isfinite(loss):
            loss = math.inf
        if self.loss is None or loss < self.loss:
            self.loss, self.step = loss, step
            if self.path is not None:
                files.write(self.path, self.model.save_weights)
        elif self.patience and step - self.step >= self.patience:
            self.stopped = True
            self.model.stop_training = True


class Averages(keras.callbacks.Callback):
    """Swaps the optimizer's moving averages in for the weights when validation begins.

    They stay until the end of the epoch, so that the callbacks before this one (the best weights,
    pictures) see the weights that were validated. Without averages nothing happens.
    """

    def __init__(self):
        super().__init__()
        self.swapped = False

    def _swap(self):
        optimizer = self.model.optimizer
        for variable, average in zip(
            self.model.trainable_variables,
            compat.moving_averages(optimizer),
            strict=True,
        ):
            value = keras.ops.convert_to_numpy(variable)
            variable.assign(keras.ops.convert_to_numpy(average))
            average.assign(value)
        self.swapped = not self.swapped

    def on_test_begin(self, logs=None):
        """Puts the averages in place."""
        if getattr(self.model.optimizer, "use_ema", False) and not self.swapped:
            self._swap()

    def on_epoch_end(self, epoch, logs=None):
        """Puts the weights back."""
        if self.swapped:
            self._swap()


class Events(_Stepped):
    """Writes TensorBoard events: logs (losses in nats), figures, learning rate, pictures.

    Args:
      epoch_steps, steps: lengths of an epoch and of the run.
      directory: folder of the event files.
      draw: draws a picture of the model to the path it is given; `None` for no pictures.
      pictures: folder of the pictures.
      every: steps between pictures.
      figures: figures to report for each loss, besides nats.
    """

    def __init__(
        self,
        epoch_steps: int,
        steps: int,
        directory,
        draw: Callable[[pathlib.Path, int], None] | None = None,
        pictures=None,
        every: int = 1,
        figures: Sequence[Figure] = (),
    ):
        super().__init__(epoch_steps, steps)
        self._figures = figures
        self._directory, self._draw = str(directory), draw
        self._pictures, self._every = pictures, every
        self._writer = None

    def on_train_begin(self, logs=None):
        """Opens an event file."""
        self._writer = tf.summary.create_file_writer(self._directory)

    def on_epoch_end(self, epoch, logs=None):
        """Writes the events of the epoch."""
        step = self.step_after(epoch)
        with self._writer.as_default(step=step):
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"{name} (nats)", float(np.ravel(value)[0]))
            for name, value in figures_of(self._figures, logs).items():
                tf.summary.scalar(name, value)
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            tf.summary.scalar("learning_rate", rate)
            if self._draw is not None and self._due(step):
                path = pathlib.Path(self._pictures) / f"step_{step:07d}.png"
                self._draw(path, step)
                image = tf.io.decode_png(path.read_bytes(), channels=3)
                tf.summary.image("picture", image[tf.newaxis])
        self._writer.flush()

    def on_train_end(self, logs=None):
        """Closes the event file."""
        self._writer.close()

    def _due(self, step: int) -> bool:
        previous = max(step - 1, 0) // self.epoch_steps * self.epoch_steps
        return step // self._every > previous // self._every or step == self.steps


class Checkpoint(_Stepped):
    """Saves all that a run resumes from, in one atomic file, at the end of each epoch.

    Args:
      epoch_steps, steps: lengths of an epoch and of the run.
      path: the file.
      guard: checks the weights before they are saved.
      parts: callbacks with a state, by name.
    """

    def __init__(self, epoch_steps: int, steps: int, path, guard: Guard, parts: dict):
        super().__init__(epoch_steps, steps)
        self.path, self._guard, self._parts = path, guard, parts

    def on_epoch_end(self, epoch, logs=None):
        """Saves."""
        step = self.step_after(epoch)
        self._guard.check_weights(step)
        state = {"step": step} | {name: part.state() for name, part in self._parts.items()}
        variables = [*self.model.weights, *self.model.optimizer.variables]
        checkpoint.save_state(self.path, variables, state)

    def restore(self, model) -> int:
        """Resumes the run from the file, if there is one.

        Returns:
          Steps done.
        """
        if not os.path.exists(self.path):
            return 0
        variables = [*model.weights, *model.optimizer.variables]
        state = checkpoint.restore_state(self.path, variables)
        for name, part in self._parts.items():
            part.restore(state[name])
        return int(state["step"])
