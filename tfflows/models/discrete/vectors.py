"""Integer discrete flows of vectors."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.bijectors.integer_additive import IntegerAdditive
from tfflows.checks import check_seed
from tfflows.models.discrete.integer import IntegerFlow, check_arguments, check_counts
from tfflows.models.discrete.priors import LearnedPrior, NetworkPrior
from tfflows.models.flows.family import layer_seed
from tfflows.networks.quantized import IntegerMLP

_LARGEST = 2**24  # float32 holds all integers up to this


@keras.saving.register_keras_serializable("tfflows")
class IntegerDiscreteFlow(IntegerFlow):
    """An integer discrete flow of vectors of integers.

    Couplings shift one half of the numbers, and then the other half, by a rounded function of the
    rest. Then half of the numbers become latents, each under a mixture of discretized logistics
    that depends on the others. Those go through couplings of their own, and so on until one number
    is left, whose mixture has learned parameters. All shifts start at zero.

    A number that a shift moves out of the range enters at the other end, so the probabilities of
    all vectors sum to 1.

    Args:
      dim: length of the vectors.
      levels: number of different integers of a column, 2 to 65,536; `set_least` says from which.
      layers: couplings before each split.
      width: hidden numbers of the networks.
      blocks: residual blocks of the networks.
      components: components of the mixtures.
      quantized: whether the networks compute with 8-bit integers; see
        `tfflows.networks.quantized`.
      seed: seed of initial weights, permutations and training noise.
      name: name of the model.

    Reference: Hoogeboom, Peters, van den Berg & Welling, Integer Discrete Flows and Lossless
    Compression, 2019. https://arxiv.org/abs/1905.07376
    """

    modality = "integers"
    event_dtype = tf.int32

    def __init__(
        self,
        dim: int,
        levels: int = 256,
        layers: int = 4,
        width: int = 64,
        blocks: int = 1,
        components: int = 8,
        quantized: bool = False,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        seed = check_seed(seed)
        self._config = {
            "dim": int(dim),
            "levels": levels,
            "layers": layers,
            "width": width,
            "blocks": blocks,
            "components": components,
            "quantized": quantized,
            "seed": seed,
        }
        check_arguments(type(self), self._config)
        levels, quantized = self._config["levels"], self._config["quantized"]
        check_counts(dim=dim, layers=layers, components=components)
        key, shift = 1000 * layer_seed(seed), IntegerAdditive(levels)

        def network(salt):
            return lambda outputs: IntegerMLP(
                outputs, levels, width, blocks, quantized, seed=key + salt
            )

        maps, priors, sizes, size, index = [], [], [], int(dim), 0
        while size > 1:
            order = tb.Permutation(np.random.RandomState(key + index).permutation(size))
            stack = [order]
            for layer in range(layers):
                mask = (np.arange(size) % 2 == 0) ^ (layer % 2 == 1)
                stack.append(tb.Coupling(mask, shift, network(index), name=f"coupling_{index}"))
                index += 1
            maps.append(tb.Chain(stack))
            sizes.append(size // 2)
            size -= size // 2
            made = NetworkPrior(
                *(levels, network(500 + len(priors)), (size,), sizes[-1], components, quantized),
                name=f"prior_{len(priors)}",
            )
            priors.append(made)
        maps.append(tb.Permutation([0]))
        priors.append(LearnedPrior(levels, (1,), components))
        super().__init__((int(dim),), levels, maps, priors, sizes, seed, name, trainable)

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        return {"dim": event_shape[0]}

    def _more_variables(self):
        self.parts.least = tf.Variable(tf.zeros(self._config["dim"]), trainable=False, name="least")

    def set_least(self, least) -> None:
        """Sets the least integer of each column; `levels` integers from there on are possible.

        Args:
          least: `[dim]`, whole numbers; all possible ones must be within +-2**24.

        Raises:
          ValueError: for another shape, or numbers that are not whole or too large.
        """
        least = np.asarray(least, np.float64)
        if least.shape != self._event_shape or not np.array_equal(least, np.rint(least)):
            raise ValueError(
                f"least: expected {self._event_shape[0]} whole numbers, got {least.tolist()}"
            )
        if np.abs(least).max() + self.levels > _LARGEST:
            raise ValueError(f"least: expected numbers within +-2**24, got {least.tolist()}")
        self.parts.least.assign(least.astype(np.float32))

    @property
    def least(self) -> np.ndarray:
        """The least integer of each column, int64 `[dim]`."""
        return self.parts.least.numpy().astype(np.int64)

    def log_prob_fn(self, x, context=None):
        """Log-probability `[batch]`, nats, as a graph function."""
        return super().log_prob_fn(self._counted(x), context)

    def _counted(self, x):
        return tf.cast(x, tf.float32) - self.parts.least

    def check_data(self, name: str, x, start: int = 0) -> None:
        """Raises a ValueError that names the argument, if it is not of integers in range."""
        super().check_data(name, np.asarray(x) - self.least, start)

    def seen(self, x) -> np.ndarray:
        """Integers `[batch, *event]` as the model sees them."""
        return np.asarray(x)

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their log-probability, as a graph function."""
        values, log_prob = self._draw(seed)
        return tf.cast(values + self.parts.least, self.event_dtype), log_prob

    def extra_signatures(self):
        """None: the tables of a codec are of priors with one component."""
        return {}

    def extra_files(self):
        """None; see `extra_signatures`."""
        return {}
