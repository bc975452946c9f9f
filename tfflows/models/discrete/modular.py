"""Discrete flows of vectors of categories."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows.bijectors.base import inverse_and_log_det
from tfflows.checks import check_seed, whole_number
from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.discrete.columns import IntegerColumns
from tfflows.models.discrete.integer import check_arguments, check_counts
from tfflows.models.discrete.starting import StartsFromData, new_flag
from tfflows.models.flows.family import layer_seed
from tfflows.models.integers import IntegerEvents
from tfflows.networks.integer_made import IntegerAutoregressiveNetwork
from tfflows.networks.quantized import CodeMLP
from tfflows.random import pick, uniform_rows
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
        self.initialized = new_flag()


@keras.saving.register_keras_serializable("tfflows")
class DiscreteFlow(IntegerColumns, StartsFromData, Described, IntegerEvents, DensityModel):
    """A discrete flow of vectors of categories, by arithmetic modulo their number.

    A layer adds a number to each category, modulo `levels`, and with `scales` it multiplies the
    category first. A network of the other categories chooses the numbers. A coupling maps one half
    given the other, and the next layer maps the other half. An autoregressive layer maps each
    category given those before it, and the next layer runs from the other end. The base is learned.
    All layers start as the identity.

    The layers are a bijection of finitely many vectors, so they only permute the probabilities that
    the base gives to them. With a base of equal probabilities the model could learn nothing. An
    autoregressive base could learn any distribution without layers.

    Networks compute with 8-bit integers, so that a choice between nearly equal numbers is the same
    in both directions, in every batch and on every machine.

    Args:
      dim: length of the vectors, at least 2.
      levels: number of categories of an entry; `set_least` says from which integer on.
      layers: number of layers.
      autoregressive: whether layers are autoregressive, instead of couplings.
      scales: whether layers also multiply; see `tfflows.bijectors.ModularAffine`.
      temperature: weight of the choices' entropies in training; see `ModularAffine`.
      base: `"independent"` or `"autoregressive"`.
      width: hidden units of the networks, at most 1,032. So many inputs may they have, too: `dim *
        levels` of autoregressive networks, and about half of that of couplings.
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
        seed, dim = check_seed(seed), whole_number("dim", dim, 2)
        self._config = {
            "dim": dim,
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
        if base not in _BASES:
            raise ValueError(f"base: expected one of {', '.join(_BASES)}, got {base!r}")
        super().__init__(seed=seed, name=name, trainable=trainable)
        self._event_shape, self.levels = (dim,), self._config["levels"]
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

    def _start(self, values, context) -> None:
        self.parts.base.start(tf.cast(values, tf.int32).numpy(), self.levels)

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
