"""Sets up a Keras fit that resumes where it was killed and ends with the same numbers."""

from __future__ import annotations

import dataclasses
import math
import os
import pathlib
import sys
from collections.abc import Callable, Sequence

import tensorflow as tf

from tfflows import files
from tfflows.training import callbacks, checkpoint, diagnosis, strategy
from tfflows.training.progress import Figure, Progress

CHECKPOINT = "checkpoint.npz"
BEST = "best.weights.h5"
FINAL = "model.weights.h5"
METRICS = "metrics.jsonl"


@dataclasses.dataclass(frozen=True)
class Settings:
    """How long to train, and how often to save, validate and draw.

    Attributes:
      steps: steps of the run.
      checkpoint_every: steps between checkpoints, and between lines of metrics.jsonl.
      eval_every: steps between validations: a multiple of `checkpoint_every`. The last step is
        validated as well.
      patience: steps without a lower validation loss after which training stops; `None` for never.
      steps_per_execution: steps in one call of TensorFlow, at most; 1 under a mirrored strategy.
      jit_compile: compile the step with XLA; ignored under a mirrored strategy.
      picture_every: steps between pictures.
    """

    steps: int
    checkpoint_every: int = 250
    eval_every: int = 250
    patience: int | None = None
    steps_per_execution: int = 1
    jit_compile: bool = False
    picture_every: int = 1000

    def __post_init__(self):
        counts = ("steps", "checkpoint_every", "eval_every", "steps_per_execution", "picture_every")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(
                f"patience: expected at least 1 step, or None for no limit, got {self.patience}"
            )
        if self.eval_every % self.checkpoint_every:
            raise ValueError(
                f"eval_every: expected a multiple of checkpoint_every ({self.checkpoint_every}), "
                f"got {self.eval_every}"
            )

    @property
    def execution(self) -> int:
        """Steps in one call: the largest allowed number that divides an epoch and the run."""
        return self.execution_from(0)

    def execution_from(self, step: int) -> int:
        """`execution` for a run that resumes at `step`, which may be in the middle of an epoch."""
        common = math.gcd(self.checkpoint_every, self.steps, step)
        return max(n for n in range(1, self.steps_per_execution + 1) if common % n == 0)


@dataclasses.dataclass(frozen=True)
class Result:
    """The outcome of a run.

    Attributes:
      step: steps done, fewer than requested if training stopped early.
      best_step, validation_loss: those of the chosen weights (nats; may be infinite).
      seconds: training time, over all processes of the run.
    """

    step: int
    best_step: int
    validation_loss: float
    seconds: float


def fit(
    model,
    dataset: Callable[[int], tf.data.Dataset],
    validation: tf.data.Dataset,
    directory: str | os.PathLike,
    optimizer: Callable[[], object],
    settings: Settings,
    target_log_prob=None,
    draw: Callable[[pathlib.Path, int], None] | None = None,
    verbose: int | None = None,
    figures: Sequence[Figure] = (),
    names: diagnosis.Names | None = None,
) -> Result:
    """Trains `model` in a work directory, from the last checkpoint there, if there is one.

    Writes `checkpoint.npz`, `best.weights.h5`, `metrics.jsonl`, TensorBoard's `events/`, and at the
    end `model.weights.h5`: the weights with the lowest validation loss, which the model then has.
    If it is killed and called again in the same way, it reaches the same weights. Called with more
    `steps`, a finished run continues; the learning rate is then that of the new optimizer at each
    step.

    Args:
      model: a `DensityModel`, made in the scope of the strategy that it trains under.
      dataset: function from the number of the first step to an endless data set of global batches.
      validation: a finite data set.
      directory: the work directory; it must exist.
      optimizer: makes the Keras optimizer; called in the strategy's scope.
      settings: how long to train, and how often to save, validate and draw.
      target_log_prob: see `DensityModel.compile`.
      draw: draws the model at a step to the given path, on the chief only.
      verbose: 0 prints nothing, 1 a line that is rewritten in place, 2 separate lines; by default 1
        on a terminal and 2 elsewhere.
      figures: figures to report for each loss, besides nats.
      names: names of the columns and the learning rate for messages on a loss that is not finite.

    Raises:
      NotFiniteError: (a ValueError) if the loss becomes NaN or infinite; checkpoints stay.
      ValueError: if a file of the work directory that the run resumes from is damaged or missing.
    """
    directory = pathlib.Path(directory)
    chief = strategy.is_chief(model.distribute_strategy)
    done = 0
    if (directory / CHECKPOINT).exists():
        done = int(checkpoint.read_state(directory / CHECKPOINT)["step"])
    execution, jit_compile = settings.execution_from(done), settings.jit_compile
    mirrored = tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy
    if isinstance(model.distribute_strategy, mirrored):
        # A reduction over replicas runs neither under XLA nor in a loop of several steps.
        execution, jit_compile = 1, False
    if chief:
        files.clean(directory)
    with model.distribute_strategy.scope():
        model.compile(
            optimizer(),
            target_log_prob=target_log_prob,
            steps_per_execution=execution,
            jit_compile=jit_compile,
        )
        model.optimizer.build(model.trainable_variables)

    epoch_steps, steps = settings.checkpoint_every, settings.steps

    names = names or diagnosis.Names()

    def diagnose(first, last):
        return diagnosis.reason(
            model, dataset, first, last, directory / BEST, names or diagnosis.Names()
        )

    guard = callbacks.Guard(epoch_steps, steps, execution, directory / CHECKPOINT, diagnose)
    metrics = callbacks.MetricsLog(epoch_steps, steps, directory / METRICS, figures)
    averages = callbacks.Averages()
    best_path = directory / BEST if chief else None
    best = callbacks.Best(epoch_steps, steps, best_path, settings.patience)
    saver = callbacks.Checkpoint(
        epoch_steps, steps, directory / CHECKPOINT, guard, {"best": best, "metrics": metrics}
    )
    events = callbacks.Events(
        epoch_steps,
        steps,
        directory / "events",
        draw,
        directory / "pictures",
        settings.picture_every,
        figures,
    )
    if verbose is None:
        verbose = 1 if sys.stdout.isatty() else 2
    report = Progress(epoch_steps, steps, best, figures, verbose if chief else 0, jit_compile)
    done = saver.restore(model)
    if best.loss is not None:
        _load_best(model, directory / BEST)  # so that a bad file is found before training
        saver.restore(model)
    best.reconsider(done)
    report.begin(done)
    epochs, validate = math.ceil(steps / epoch_steps), settings.eval_every // epoch_steps
    while done < steps and not best.stopped:
        epoch, late = divmod(done, epoch_steps)
        guard.done = report.done = done
        model.fit(
            strategy.share(dataset(done)),
            steps_per_epoch=epoch_steps - late,
            initial_epoch=epoch,
            # The rest of a partial epoch is a fit of its own, as Keras's epochs have one length.
            epochs=epoch + 1 if late else epochs,
            validation_data=strategy.share(validation),
            validation_freq=sorted({*range(validate, epochs, validate), epochs}),
            callbacks=[guard, best, *([metrics, events] if chief else []), averages, report]
            + ([saver] if chief else []),
            shuffle=False,  # the data set shuffles
            verbose=0,  # `report` prints the progress
        )
        done = int(model.optimizer.iterations.numpy())
    report.end(done)
    if chief:
        if best.loss is not None:
            _load_best(model, directory / BEST)
        files.write(directory / FINAL, model.save_weights)
    return Result(done, best.step, best.loss, metrics.seconds)


def _load_best(model, path: pathlib.Path) -> None:
    try:
        if not path.is_file():
            raise OSError("no such file")
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"workdir: the best weights so far cannot be read from {path} ({reason}); put the file "
            f"back, or remove {path.parent} to train afresh"
        ) from None
