"""Training with plain Keras: strategies, optimizers by name, callbacks that survive a kill."""

from tfflows.training.checkpoint import read_state
from tfflows.training.diagnosis import Names
from tfflows.training.loop import CHECKPOINT, Result, Settings, fit
from tfflows.training.optimizers import Adam, AdamW, average_momentum, learning_rate, optimizer
from tfflows.training.progress import Figure
from tfflows.training.strategy import choose, is_chief, share

__all__ = [
    "Adam",
    "AdamW",
    "CHECKPOINT",
    "Figure",
    "Names",
    "Result",
    "Settings",
    "average_momentum",
    "choose",
    "fit",
    "is_chief",
    "learning_rate",
    "optimizer",
    "read_state",
    "share",
]
