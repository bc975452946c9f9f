"""Small exact models of integers for tests; one is what a contributor writes from the parts."""

import math

import keras
import numpy as np
import tensorflow as tf

from tests import small_flows
from tfflows import models
from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.integers import IntegerEvents
from tfflows.random import pick, uniform_rows


@keras.saving.register_keras_serializable("tests")
class Categorical(Described, IntegerEvents, DensityModel):
    """Independent integers, each with a probability of its own for each level.

    Args:
      shape: `(H, W, C)` of an event.
      levels: number of different integers.
      sharpness: factor of the logits, to have an argument that no variable's shape depends on.
    """

    modality = "images"
    supports_temperature = False
    context_shape = None

    def __init__(self, shape, levels=256, sharpness=1.0, seed=0, name=None, **kwargs):
        super().__init__(seed=seed, name=name, **kwargs)
        self._event_shape, self.levels = tuple(shape), levels
        self._config = {
            "shape": list(shape),
            "levels": levels,
            "sharpness": sharpness,
            "seed": seed,
        }
        self.logits = self.add_weight(
            shape=(math.prod(shape), levels), initializer="zeros", name="logits"
        )
        self.built = True

    @classmethod
    def event_arguments(cls, event_shape):
        return {"shape": event_shape}

    @property
    def event_shape(self):
        return self._event_shape

    def _log_probs(self):
        return tf.nn.log_softmax(self._config["sharpness"] * tf.convert_to_tensor(self.logits))

    def log_mass(self, values, context=None):
        numbers = tf.cast(tf.reshape(values, [-1, math.prod(self.event_shape)]), tf.int32)
        chosen = tf.gather(self._log_probs(), tf.transpose(numbers), batch_dims=1)
        return tf.reduce_sum(chosen, axis=0)

    def draw_and_log_prob(self, seed, temperature, context=None):
        u = uniform_rows(seed, math.prod(self.event_shape))
        numbers = pick(tf.cumsum(tf.exp(self._log_probs()), axis=1), u)
        x = tf.cast(tf.reshape(numbers, [-1, *self.event_shape]), self.event_dtype)
        return x, self.log_prob_fn(x, context)


def integers(model, n):
    """Random integers of the model's range, and no contexts."""
    rng = np.random.default_rng(0)
    return rng.integers(0, model.levels, (n, *model.event_shape)).astype("uint8"), None


def started(model, scale):
    """The model, started from random integers of its range, then its weights moved."""
    model.initialize(integers(model, 64)[0])
    return small_flows.shake(model, scale=scale)


_NARROW = {"width": 8, "blocks": 1, "heads": 2}
INTEGERS = {
    "categorical": lambda: Categorical((2, 3, 2), levels=8, sharpness=2.0),
    "integer_flow": lambda: models.ImageIntegerDiscreteFlow(
        (4, 4, 1), bits=5, levels=2, steps=2, width=8, blocks=1
    ),
    "integer_vectors": lambda: models.IntegerDiscreteFlow(
        3, levels=20, layers=2, width=8, components=2, quantized=True
    ),
    "discrete_flow": lambda: models.DiscreteFlow(3, levels=6, layers=2, scales=True, width=8),
    "discrete_flow_autoregressive": lambda: models.DiscreteFlow(
        3, levels=5, layers=2, autoregressive=True, base="autoregressive", width=8
    ),
    "categorical_flow": lambda: models.CategoricalFlow(
        3, levels=5, layers=2, channels=3, encoding_layers=2, components=2, **_NARROW
    ),
    "categorical_flow_of_sets": lambda: models.CategoricalFlow(
        3, levels=5, ordered=False, layers=2, channels=2, components=2, samples=2, **_NARROW
    ),
    "integer_flow_quantized": lambda: models.ImageIntegerDiscreteFlow(
        (4, 4, 1), bits=5, levels=2, steps=2, width=8, blocks=1, quantized=True
    ),
}
# How far weights are moved; with more, these models have only a few likely rows.
SCALES = {"categorical_flow": 0.03, "categorical_flow_of_sets": 0.03}
