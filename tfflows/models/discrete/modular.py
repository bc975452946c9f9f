"""Discrete flows of vectors of categories."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.bijectors.base import inverse_and_log_det
from tfflows.checks import check_seed
from tfflows.models.baselines.base import pick
from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.discrete.columns import IntegerColumns
from tfflows.models.discrete.integer import check_arguments, check_counts
from tfflows.models.feeding import as_tensor
from tfflows.models.flows.family import layer_seed
from tfflows.models.integers import IntegerEvents
from tfflows.networks.integer_made import IntegerAutoregressiveNetwork
from tfflows.networks.quantized import CodeMLP
from tfflows.random import uniform_rows
from tfflows.tracking import AdoptedModule

_BASES = ("independent", "autoregressive")


class _IndependentBase(tf.Module):
    """Independent categories, each with probabilities of its own."""

    def __init__(self, dim, levels, name="base"):
        super().__init__(name=name)
        self.logits = tf.Variable(tf.zeros([dim, levels]), name=f"{name}_logits")

    def start(self, numbers, levels):
        """Starts from how often each category occurs in `numbers` `[batch, dim]`, plus 1."""
        counts = np.stack([np.bincount(column, minlength=levels) for column in numbers.T])
        self.logits.assign(np.log((counts + 1.0) / (len(numbers) + levels)))

    def log_prob(self, code):
        """Log-probability `[batch]` of codes `[batch, dim, levels]`."""
        log_probs = tf.nn.log_softmax(tf.convert_to_tensor(self.logits))
        return tf.reduce_sum(code * log_probs, axis=[1, 2])

    def draw(self, u):
        """Categories, int32 `[batch, dim]`, for uniform numbers."""
        return pick(tf.cumsum(tf.nn.softmax(tf.convert_to_tensor(self.logits)), -1), u)


class _AutoregressiveBase(tf.Module):
    """Categories that depend on those before them, through a masked network."""

    def __init__(self, dim, levels, hidden_units, seed, name="base"):
        super().__init__(name=name)
        self._shape = dim, levels
        self.network = IntegerAutoregressiveNetwork(
            levels, dim, levels, hidden_units, seed=seed, name=f"{name}_network"
        )
        self.network(tf.zeros([1, dim * levels]))

    def start(self, numbers, levels):
        """Nothing: the first category's probabilities are learned like the others."""

    def log_prob(self, code):
        """Log-probability `[batch]` of codes `[batch, dim, levels]`."""
        dim, levels = self._shape
        logits = self.network(tf.reshape(code, [-1, dim * levels]))
        return tf.reduce_sum(code * tf.nn.log_softmax(logits), axis=[1, 2])

    def draw(self, u):
        """Categories, int32 `[batch, dim]`, for uniform numbers."""

        def choose(logits, u):
            number = tf.cast(pick(tf.cumsum(tf.nn.softmax(logits), -1), u), u.dtype)
            return number, tf.zeros_like(number)

        return tf.cast(self.network.generate_codes(choose, u)[0], tf.int32)


class _Parts(tf.Module):
    """The map and the base, for those who look for variables."""

    def __init__(self, chain, base, name="parts"):
        super().__init__(name=name)
        self.chain, self.base = chain, base
        self.initialized = tf.Variable(0, dtype=tf.int32, trainable=False, name="initialized")


@keras.saving.register_keras_serializable("tfflows")
class DiscreteFlow(IntegerColumns, Described, IntegerEvents, DensityModel):
    """A discrete flow of vectors of categories, by arithmetic modulo their number.

    Each layer adds to categories, modulo `levels`, what a network of other categories chooses, and
    with `scales` multiplies them first. A coupling maps one half given the other, and the next
    layer the other half; an autoregressive layer maps each category given those before it, and the
    next layer from the other end. The base is learned. All layers start as the identity.

    A bijection of finitely many vectors only exchanges their probabilities. So what it can learn
    is limited by its base: with equal probabilities it would learn nothing, and independent ones
    stay independent in some other order. An autoregressive base can represent anything by itself.

    Networks compute with 8-bit integers, so that a choice between nearly equal numbers is the same
    in both directions, in every batch and on every machine.

    Args:
      dim: length of the vectors, at least 2.
      levels: number of categories of an entry; `set_least` says from which integer on.
      layers: number of layers.
      autoregressive: whether layers are autoregressive, instead of couplings.
      scales: whether layers also multiply; see `tfflows.bijectors.ModularAffine`.
      temperature: nats that an open choice is worth in training; see `ModularAffine`.
      base: `"independent"` or `"autoregressive"`.
      width: hidden units of the networks; `dim * levels` and it are at most 1,032.
      blocks: hidden layers of the networks of autoregressive layers and of an autoregressive base,
        or residual blocks of those of couplings.
      seed: seed of initial weights and training noise.
      name: name of the model.

    Reference: Tran, Vafa, Agrawal, Dinh & Poole, Discrete Flows: Invertible Generative Models of
    Discrete Data, 2019. https://arxiv.org/abs/1905.10347
    """

    supports_temperature = False
    context_shape = None

    def __init__(
        self,
        dim: int,
        levels: int = 16,
        layers: int = 4,
        autoregressive: bool = False,
        scales: bool = False,
        temperature: float = 1.0,
        base: str = "independent",
        width: int = 64,
        blocks: int = 2,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        seed = check_seed(seed)
        self._config = {
            "dim": int(dim),
            "levels": levels,
            "layers": layers,
            "autoregressive": autoregressive,
            "scales": scales,
            "temperature": temperature,
            "base": base,
            "width": width,
            "blocks": blocks,
            "seed": seed,
        }
        check_arguments(type(self), self._config)
        check_counts(layers=layers, width=width, blocks=blocks)
        if dim < 2:
            raise ValueError(f"dim: expected at least 2, got {dim}")
        if base not in _BASES:
            raise ValueError(f"base: expected one of {', '.join(_BASES)}, got {base!r}")
        super().__init__(seed=seed, name=name, trainable=trainable)
        self._event_shape, self.levels = (int(dim),), self._config["levels"]
        key, hidden = 1000 * layer_seed(seed), (width,) * blocks

        def masked(salt):
            return lambda outputs: IntegerAutoregressiveNetwork(
                outputs, dim, levels, hidden, seed=key + salt, name=f"network_{salt}"
            )

        def plain(salt):
            return lambda outputs: CodeMLP(outputs, 256, width, blocks, True, seed=key + salt)

        chain = []
        for layer in range(layers):
            map, label = tb.ModularAffine(levels, scales, temperature), f"layer_{layer}"
            if autoregressive:
                made = tb.ModularAutoregressive(
                    dim, map, masked(layer), backwards=layer % 2 == 1, name=label
                )
            else:
                mask = np.arange(dim) % 2 == layer % 2
                made = tb.ModularCoupling(mask, map, plain(layer), name=label)
            chain.append(made)
        if base == "independent":
            of_latents = _IndependentBase(dim, levels)
        else:
            of_latents = _AutoregressiveBase(dim, levels, hidden, key + 900)
        self.parts = _Parts(tb.Chain(chain), of_latents)
        self.parts.least = self._new_least(dim)
        self._adopted = AdoptedModule(self.parts, name="parts")
        self.built = True

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    @property
    def initialized(self) -> bool:
        """Whether the base has been started from data."""
        return bool(self.parts.initialized.numpy())

    def initialize(self, x, context=None) -> None:
        """Starts the base from a batch of data `[batch, dim]`, unless this has been done."""
        if self.initialized:
            return
        x, _, _ = self._unpack((as_tensor(x), context))
        self.parts.base.start(tf.cast(self._counted(x), tf.int32).numpy(), self.levels)
        self.parts.initialized.assign(1)

    def log_mass(self, values, context=None):
        """Log-probability `[batch]`, nats, of integers in range."""
        code = tf.one_hot(tf.cast(values, tf.int32), self.levels)
        z, log_det = inverse_and_log_det(self.parts.chain, code, 2)
        return self.parts.base.log_prob(z) + log_det

    def _draw(self, seed):
        numbers = self.parts.base.draw(uniform_rows(seed, self._event_shape[0]))
        code = tf.one_hot(numbers, self.levels)
        log_prob = self.parts.base.log_prob(code)
        values = tf.argmax(self.parts.chain.forward(tf.identity(code)), -1)
        return tf.cast(values, tf.float32), log_prob
