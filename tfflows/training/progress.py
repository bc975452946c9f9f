"""Progress reports of a run: figures of the loss, and lines with the time left."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np

_LIVE_SECONDS = 1.0  # between rewrites of the line on a terminal
_LINE_SECONDS = 30.0  # between lines elsewhere, not counting validations


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number that a mean loss is reported as, besides nats.

    Attributes:
      name: its key in metrics.jsonl and in TensorBoard; the one for validation starts with `val_`.
      text: how it is printed: a format string for one number.
      of: function from a mean loss in nats to the figure.
    """

    name: str
    text: str
    of: Callable[[float], float]


def figures_of(figures: Sequence[Figure], logs: dict | None) -> dict[str, float]:
    """The figures of the losses in Keras's logs."""
    losses = {"": (logs or {}).get("loss"), "val_": (logs or {}).get("val_loss")}
    return {
        f"{prefix}{figure.name}": figure.of(_number(loss))
        for prefix, loss in losses.items()
        if loss is not None
        for figure in figures
    }


class Progress(keras.callbacks.Callback):
    """Prints the progress of a run and the time left.

    Args:
      epoch_steps, steps: lengths of an epoch and of the run.
      best: the callback that keeps the best validation loss, its step and the patience.
      figures: figures to print for each loss, besides nats.
      verbose: 0 prints nothing, 1 a line that is rewritten in place, 2 separate lines.
      jit_compile: whether XLA compiles the step.
    """

    def __init__(
        self,
        epoch_steps: int,
        steps: int,
        best,
        figures: Sequence[Figure] = (),
        verbose: int = 2,
        jit_compile: bool = False,
    ):
        super().__init__()
        self.epoch_steps, self.steps, self.done = epoch_steps, steps, 0
        self._best, self._figures, self._verbose = best, figures, verbose
        self._compiler = " with XLA" if jit_compile else ""
        self._started = self._first = self._shown = None  # times; `_first`: of the first call
        self._first_step = self._epoch = self._width = 0
        self._test, self._validated = 0.0, False

    def begin(self, done: int) -> None:
        """Prints where the run resumes, or that nothing is left to do."""
        if self._best.stopped:
            self._print(
                f"already stopped at step {done} of {self.steps}, because validation had not "
                f"improved since step {self._best.step}; raise the patience to continue"
            )
        elif done >= self.steps:
            self._print(f"already finished at step {done}; raise the number of steps to continue")
        elif done:
            self._print(f"resuming at step {done} of {self.steps}")

    def end(self, done: int) -> None:
        """Prints that the run is over, if this process was training."""
        if self._started is None:
            return
        if self._best.stopped:
            self._print(
                f"stopped at step {done} of {self.steps}: validation has not improved in "
                f"{done - self._best.step} steps"
            )
        else:
            self._print(f"finished at step {done}")

    def on_train_begin(self, logs=None):
        """Prints that the step is being compiled."""
        if self._started is None:
            self._started = time.monotonic()
            self._print(f"compiling the training step{self._compiler} ...")

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self._epoch = epoch

    def on_test_begin(self, logs=None):
        """Notes when a validation begins."""
        self._test = time.monotonic()

    def on_test_end(self, logs=None):
        """Leaves the first validation, which includes its compilation, out of the step's time."""
        if not self._validated and self._first is not None:
            self._first += time.monotonic() - self._test
        self._validated = True

    def on_train_batch_end(self, batch, logs=None):
        """Prints the loss now and then."""
        now, step = time.monotonic(), max(self._epoch * self.epoch_steps, self.done) + batch + 1
        if self._first is None:
            self._first, self._first_step, self._shown = now, step, now
            self._print(f"compiled in {duration(now - self._started)}")
        elif now - self._shown >= (_LIVE_SECONDS if self._verbose == 1 else _LINE_SECONDS):
            self._shown = now
            self._print(self._line(step, logs), over=True)

    def on_epoch_end(self, epoch, logs=None):
        """Prints the losses of a validation."""
        if "val_loss" not in (logs or {}):
            return
        self._shown = time.monotonic()
        step = min((epoch + 1) * self.epoch_steps, self.steps)
        self._print(self._line(step, logs))

    def _line(self, step: int, logs: dict | None) -> str:
        text = f"step {step} of {self.steps}: {self._losses(logs or {})}"
        if step >= self.steps or step <= self._first_step:
            return text
        rate = (time.monotonic() - self._first) / (step - self._first_step)
        return f"{text}; {duration(rate * (self.steps - step))} left"

    def _losses(self, logs: dict) -> str:
        parts = []
        for key, title in (("loss", "loss"), ("val_loss", "validation")):
            if key in logs:
                value = _number(logs[key])
                shown = [f"{value:.4f} nats", *(f.text.format(f.of(value)) for f in self._figures)]
                parts.append(f"{title} {', '.join(shown)}")
        return "; ".join(parts)

    def _print(self, text: str, over: bool = False) -> None:
        """Prints a line, replacing the last one if that was printed with `over`."""
        if not self._verbose:
            return
        live = self._verbose == 1
        ending = "" if over and live else "\n"
        start = "\r" if live and self._width else ""
        print(f"{start}{text:<{self._width}}", end=ending, flush=True, file=sys.stdout)
        self._width = len(text) if over and live else 0


def duration(seconds: float) -> str:
    """A time in words: `8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(round(seconds), 0)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _number(value) -> float:
    return float(np.ravel(value)[0])
