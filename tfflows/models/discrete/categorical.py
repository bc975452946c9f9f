"""Categorical flows: a continuous flow over encodings of categories."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows import distributions, networks
from tfflows.bijectors.base import forward_and_log_det, inverse_and_log_det
from tfflows.bijectors.normalization import act_norms, initialize
from tfflows.checks import check_seed, whole_number
from tfflows.models.bound import KDrawBound, keyed_noise
from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.discrete.columns import IntegerColumns
from tfflows.models.discrete.encodings import CategoryEncoding, EncodingAndFlow
from tfflows.models.discrete.integer import check_arguments, check_counts
from tfflows.models.discrete.starting import StartsFromData
from tfflows.models.flows.family import layer_seed
from tfflows.models.integers import IntegerEvents
from tfflows.random import from_tails, row_keys, tail_rows
from tfflows.tracking import AdoptedModule

_INITIAL_ROWS = 2048  # at most, that ActNorm layers start from; the categories' shares take all
_FREQUENCIES = 3  # of the transformers: encodings of categories are narrow peaks


@keras.saving.register_keras_serializable("tfflows")
class CategoricalFlow(
    IntegerColumns, StartsFromData, Described, KDrawBound, IntegerEvents, DensityModel
):
    """A continuous flow over encodings of categories: of vectors, or of sets.

    Each category is encoded as a vector of real numbers, drawn from a density that is learned for
    it. A flow with transformers models these vectors together. It decodes them by Bayes' rule.
    Categories have no order here, unlike the integers of an integer flow.

    `log_prob` is a lower bound on the log-probability, in nats: the logarithm of the mean over
    `samples` draws of an encoding. The draws are keyed by a hash of the row itself.

    With `ordered=False` rows are sets, or more precisely multisets written in any order: all orders
    of a row are equally likely. `log_prob` is about one order; a set has the sum of the
    probabilities of its different orders. The draws of an encoding differ between the orders of a
    row, so its bounds do, too, by an error that more `samples` make smaller. Sort the rows to have
    one bound for a set.

    Args:
      dim: number of categories in a row, at least 2.
      levels: number of different categories; `set_least` says from which integer on.
      ordered: whether the places of a row differ in meaning, as columns of a table do.
      channels: length of the encodings, at least 2.
      encoding_layers: coupling layers of the encodings, which make them flexible; 0 for a scaled
        and shifted logistic distribution for each category.
      layers: number of coupling layers of the flow.
      components: logistics in each mixture of the flow's elementwise maps.
      width: hidden units of the transformers.
      blocks: layers of each transformer.
      heads: heads of attention, a divisor of `width`.
      dropout: rate of dropout in the transformers, during training.
      samples: K of the bound; also a property that can be set.
      seed: seed of initial weights and training noise.
      name: name of the model.

    Reference: Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021.
    https://arxiv.org/abs/2006.09790
    """

    supports_temperature = False
    context_shape = None

    def __init__(
        self,
        dim: int,
        levels: int = 16,
        ordered: bool = True,
        channels: int = 4,
        encoding_layers: int = 0,
        layers: int = 8,
        components: int = 8,
        width: int = 128,
        blocks: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
        samples: int = 1,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        seed, dim = check_seed(seed), whole_number("dim", dim, 2)
        self._config = {
            "dim": dim,
            "levels": levels,
            "ordered": ordered,
            "channels": channels,
            "encoding_layers": encoding_layers,
            "layers": layers,
            "components": components,
            "width": width,
            "blocks": blocks,
            "heads": heads,
            "dropout": dropout,
            "seed": seed,
        }
        check_arguments(type(self), self._config)
        check_counts(layers=layers, components=components, width=width, blocks=blocks, heads=heads)
        whole_number("levels", levels, 2)
        whole_number("channels", channels, 2)
        whole_number("encoding_layers", encoding_layers, 0)
        super().__init__(seed=seed, name=name, trainable=trainable)
        self.samples = samples
        self._event_shape, self.levels = (dim,), self._config["levels"]
        self._ordered, self._shape = self._config["ordered"], (dim, channels)
        key = 1000 * layer_seed(seed)

        def transformer(salt):
            return lambda outputs: networks.Transformer(
                *(outputs, width, blocks, heads, ordered, _FREQUENCIES, dropout, key + salt),
                name=f"net_{salt}",
            )

        chain = []
        for layer in range(layers):
            chain.append(tb.ActNorm((dim, channels) if ordered else channels))
            chain.append(tb.InvertibleConvolution1x1(channels, seed=key + layer))
            map = tb.MixtureCDF(components, "logistic", "logistic")
            chain.append(tb.ChannelCoupling(self._shape, map, transformer(layer)))
        chain.append(tb.ActNorm((dim, channels) if ordered else channels))
        encoding = CategoryEncoding(dim, levels, channels, encoding_layers, ordered, key + 900)
        self.parts = EncodingAndFlow(encoding, tb.Chain(chain))
        self.parts.least = self._new_least(dim)
        self._base = distributions.get("logistic")
        self._adopted = AdoptedModule(self.parts, name="parts")
        self._norms = act_norms(self.parts.chain)
        self.built = True

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "samples": self.samples}

    def set_least(self, least) -> None:
        """As for all vectors of integers; one number for all columns unless rows are ordered."""
        if not self._ordered and np.unique(least).size > 1:
            raise ValueError(f"least: expected one number for all columns, got {list(least)}")
        super().set_least(least)

    def _start(self, values, context) -> None:
        numbers = tf.cast(values, tf.int32)
        self.parts.encoding.start(numbers.numpy())
        values, numbers = values[:_INITIAL_ROWS], numbers[:_INITIAL_ROWS]
        keys = row_keys(values)
        z, _ = self.parts.encoding.encode(numbers, keyed_noise(self._like(values), keys)())
        initialize(self.parts.chain, z, 2)

    def _like(self, values):
        """An array with the shape of the encodings of `values`."""
        return tf.broadcast_to(
            values[..., tf.newaxis], tf.concat([tf.shape(values), [self._shape[1]]], 0)
        )

    def log_mass(self, values, context=None):
        """The bound `[batch]`, nats, of integers in range, as a graph function."""
        numbers = tf.cast(values, tf.int32)
        like = tf.ensure_shape(self._like(values), [None, *self._shape])
        return self.bound(
            like, lambda: row_keys(values), lambda draw: self._weight(numbers, draw())
        )

    def _weight(self, numbers, u):
        """`log p(z) + log q(c | z) - log q(z | c)` of each row, for one draw of `z`."""
        z, decoded = self.parts.encoding.weighted(numbers, u)
        latent, log_det = inverse_and_log_det(self.parts.chain, z, 2)
        log_prob = tf.reduce_sum(self._base.log_prob(latent), [1, 2]) + log_det
        return log_prob + tf.reduce_sum(decoded, -1)

    def draw(self, seed, temperature, context=None):
        """Samples `[batch, dim]`, as a graph function."""
        dim, channels = self._shape
        v, upper, rest = tail_rows(seed, dim * (channels + 1))
        size = dim * channels
        latent = self._base.tail_quantile(v[:, :size], upper[:, :size], rest[:, :size])
        latent = tf.reshape(latent, [-1, dim, channels])
        z, _ = forward_and_log_det(self.parts.chain, latent, 2)
        # A draw from the decoder, not its mode: this is the distribution that the bound bounds.
        numbers = self.parts.encoding.decode(z, from_tails(v[:, size:], upper[:, size:]))
        return tf.cast(tf.cast(numbers, tf.float32) + self.parts.least, self.event_dtype)

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their bound, as a graph function."""
        x = self.draw(seed, temperature, context)
        return x, self.log_prob_fn(x)
