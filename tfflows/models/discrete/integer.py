"""What integer discrete flows share: levels of maps of integers, their priors, and coding."""

from __future__ import annotations

import io
import math

import numpy as np
import tensorflow as tf

from tfflows.models.density import DensityModel
from tfflows.models.described import Described
from tfflows.models.discrete import tables
from tfflows.models.discrete.priors import PHASES, log_scales
from tfflows.models.discrete.starting import StartsFromData, new_flag
from tfflows.models.flows.family import check_kind
from tfflows.models.integers import IntegerEvents
from tfflows.random import uniform_rows
from tfflows.tracking import AdoptedModule

_STEEPEST = 20.0  # nats from one integer to the next, as of the narrowest logistic


class _Parts(tf.Module):
    """The maps and priors of all levels, for those who look for variables."""

    def __init__(self, levels, priors, name="parts"):
        super().__init__(name=name)
        self.levels, self.priors = list(levels), list(priors)


class IntegerFlow(StartsFromData, Described, IntegerEvents, DensityModel):
    """The base class of integer flows: levels of bijections of integers, and priors.

    From data to latents, the first level's inverse is applied and a part of its result becomes
    latents; their prior depends on the rest, which goes through the next level, and so on. The
    whole result of the last level becomes latents, whose prior is learned. Integers are centred
    inside, `-levels / 2` to `levels / 2 - 1`, and held in float32.

    Args:
      shape: shape of one datum.
      levels: number of different integers, of which the data are 0 to `levels - 1`.
      maps: bijectors, nearest to the data first.
      priors: one `NetworkPrior` for each level but the last, and a `LearnedPrior`.
      sizes: for each level but the last, the length of the last axis of what becomes latents.
      seed, name, trainable: see `DensityModel`.
    """

    supports_temperature = False
    context_shape = None

    def __init__(self, shape, levels, maps, priors, sizes, seed, name, trainable):
        super().__init__(seed=seed, name=name, trainable=trainable)
        self._event_shape, self.levels = tuple(shape), levels
        self.parts, self._sizes = _Parts(maps, priors), tuple(sizes)
        self.parts.initialized = new_flag()
        self._more_variables()
        self._adopted = AdoptedModule(self.parts, name="parts")
        self._inner = []  # shape of each level's result
        shape = self._event_shape
        for number, level in enumerate(maps):
            shape = tuple(level.inverse_event_shape(shape).as_list())
            self._inner.append(shape)
            if number < len(sizes):
                shape = (*shape[:-1], shape[-1] - sizes[number])
        self.built = True

    def _more_variables(self) -> None:
        """Hook: creates further variables of `parts`."""

    def _start(self, values, context) -> None:
        for prior, (part, _) in zip(self.parts.priors, self.latents(values), strict=True):
            prior.initialize_from(part.numpy())

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one datum."""
        return self._event_shape

    @property
    def latent_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each level's latents."""
        last = len(self._sizes)
        return [
            shape if number == last else (*shape[:-1], self._sizes[number])
            for number, shape in enumerate(self._inner)
        ]

    @property
    def low(self) -> float:
        """The least of the centred integers."""
        return float(-(self.levels // 2))

    def latents(self, values) -> list[tuple[tf.Tensor, tf.Tensor | None]]:
        """Latents of each level, and what their prior depends on, `None` at the last.

        Args:
          values: float32 `[batch, *event]`, integers 0 to `levels - 1`.

        Returns:
          Pairs of float32 tensors of centred integers.
        """
        values, found = tf.cast(values, tf.float32) + self.low, []
        for number, level in enumerate(self.parts.levels):
            values = level.inverse(tf.identity(values))
            if number == len(self._sizes):
                found.append((values, None))
                break
            size = self._sizes[number]
            part, values = tf.split(values, [size, values.shape[-1] - size], axis=-1)
            found.append((part, values))
        return found

    def prior(self, number: int, known=None):
        """The distribution of the latents of a level, given what they depend on."""
        prior = self.parts.priors[number]
        return prior.distribution() if known is None else prior.distribution(known)

    def join(self, number: int, part, known) -> tf.Tensor:
        """What a level was given: the inverse of one step of `latents`; data at level 0."""
        values = part if known is None else tf.concat([part, known], axis=-1)
        values = self.parts.levels[number].forward(tf.identity(values))
        return values - self.low if number == 0 else values

    # What an entropy coder needs. All numbers are whole, and integers are counted from the least.

    @property
    def level_sizes(self) -> list[int]:
        """The number of latents of each level."""
        return [math.prod(shape) for shape in self.latent_shapes]

    def code_fn(self, x):
        """What an entropy coder writes of each event, as a graph function.

        Args:
          x: `[batch, *event]`, integers 0 to `levels - 1`.

        Returns:
          Three int32 tensors: the latents of all levels, `[batch, size]`; and for all levels but
          the last, `[batch, size of these]`, the means of their priors, in steps of `1 / PHASES`,
          and the numbers of their scales (see `priors`).
        """
        symbols, means, scales = [], [], []
        for level, (part, known) in enumerate(self.latents(x)):
            symbols.append(part - self.low)
            if known is not None:
                places = self._places(level, known)
                means.append(places[0])
                scales.append(places[1])
        none = [tf.zeros([tf.shape(symbols[0])[0], 0])]  # of a flow with one level
        return tuple(map(_joined, (symbols, means or none, scales or none)))

    def decode_step_fn(self, level: int, symbols, known=None):
        """One step of an entropy decoder, from the last level to the first, as a graph function.

        Args:
          level: number of the level.
          symbols: its latents, `[batch, size]`.
          known: what the step before has returned; `None` at the last level.

        Returns:
          At level 0 the event, `[batch, *event]`. At the others three int32 tensors: what the next
          step takes as `known`, and means and scales of the latents that it decodes, `[batch,
          size]`; see `code_fn`.
        """
        part = tf.reshape(tf.cast(symbols, tf.float32), [-1, *self.latent_shapes[level]])
        known = None if known is None else tf.cast(known, tf.float32)
        values = self.join(level, part + self.low, known)
        if level == 0:
            return tf.cast(values, self.event_dtype)
        means, scales = self._places(level - 1, values)
        return tf.cast(values, tf.int32), _joined([means]), _joined([scales])

    def tables(self) -> tuple[tables.LogisticTables, np.ndarray]:
        """The tables of an entropy coder.

        Returns:
          Those that means and scales refer to, and the edges of the last level's latents,
          `uint32 [size, levels + 1]`; see `tfflows.models.discrete.tables`.
        """
        logistic = tables.LogisticTables(self.levels, PHASES, log_scales(self.levels))
        return logistic, tables.mixture_edges(self.levels, *self.parts.priors[-1].table_arguments())

    def extra_signatures(self):
        """`encode`, and `decode_LEVEL` for each level, if the networks are quantized."""
        if not self._config["quantized"]:
            return {}

        def encode(x):
            names = ("symbols", "means", "scales")
            return dict(zip(names, self.code_fn(x), strict=True))

        def decode(level):
            def run(*arguments):
                result = self.decode_step_fn(level, *arguments)
                if level == 0:
                    return {"x": result}
                return dict(zip(("known", "means", "scales"), result, strict=True))

            return run

        x = tf.TensorSpec([None, *self.event_shape], self.event_dtype, name="x")
        found, last = {"encode": (encode, [x])}, len(self._sizes)
        for level, size in enumerate(self.level_sizes):
            specs = [tf.TensorSpec([None, size], tf.int32, name="symbols")]
            if level < last:
                inner = self._inner[level]
                shape = (*inner[:-1], inner[-1] - self._sizes[level])
                specs.append(tf.TensorSpec([None, *shape], tf.int32, name="known"))
            found[f"decode_{level}"] = decode(level), specs
        return found

    def extra_files(self):
        """`codec.npz`, the tables and sizes that a client codes with, for quantized networks."""
        if not self._config["quantized"]:
            return {}
        logistic, learned = self.tables()
        file = io.BytesIO()
        np.savez_compressed(
            file,
            sizes=np.array(self.level_sizes, np.int32),
            logistic=logistic.edges,
            learned=learned,
        )
        return {"codec.npz": file.getvalue()}

    def _places(self, level, known):
        _, means, scales = self.parts.priors[level].places(known)
        return means - self.low * PHASES, scales

    def log_mass(self, values, context=None):
        """Log-probability `[batch]`, nats, of integers in range."""
        total = 0.0
        for number, (part, known) in enumerate(self.latents(values)):
            log_prob = _log_prob(self.prior(number, known), part)
            total += tf.reduce_sum(log_prob, axis=list(range(1, log_prob.shape.rank)))
        return total

    def draw_and_log_prob(self, seed, temperature, context=None):
        """Samples and their log-probability, as a graph function."""
        values, log_prob = self._draw(seed)
        return tf.cast(values, self.event_dtype), log_prob

    def _draw(self, seed):
        """Draws as float32, integers from 0, and their log-probability."""
        size = math.prod(self._event_shape)
        u = tf.split(uniform_rows(seed, 2 * size), 2, axis=1)
        sizes = [math.prod(shape) for shape in self.latent_shapes]
        chooses, draws = (tf.split(each, sizes, axis=1) for each in u)
        values, total = None, 0.0
        for number in reversed(range(len(sizes))):
            shape = [-1, *self.latent_shapes[number]]
            prior = self.prior(number, values)
            part = prior.draw(tf.reshape(chooses[number], shape), tf.reshape(draws[number], shape))
            log_prob = prior.log_prob(part)
            total += tf.reduce_sum(log_prob, axis=list(range(1, log_prob.shape.rank)))
            values = self.join(number, part, values)
        return values, total


def _log_prob(distribution, values) -> tf.Tensor:
    """Log-probabilities of integers, whose derivative by an integer points to a better neighbour.

    A rounded shift changes an integer by whole steps. At the ends of the range, whose probabilities
    hold a tail, the derivative of the formula would point away from the most likely integer.
    Instead it is what a step up gains, less what a step down gains. A loss counts as 0, and the
    ends of the range are neighbours of each other.
    """
    low, high = float(distribution.low), float(distribution.high)

    @tf.custom_gradient
    def following(values):
        def gradient(upstream):
            here = distribution.log_prob(values)
            up = distribution.log_prob(tf.where(values >= high, low, values + 1.0)) - here
            down = distribution.log_prob(tf.where(values <= low, high, values - 1.0)) - here
            up, down = (tf.clip_by_value(gain, 0.0, _STEEPEST) for gain in (up, down))
            return upstream * (up - down)

        return tf.zeros_like(values), gradient

    return distribution.log_prob(tf.stop_gradient(values)) + following(values)


def _joined(parts) -> tf.Tensor:
    """Each part flattened, all in one vector a row, int32."""
    flat = [tf.reshape(part, [-1, math.prod(part.shape[1:])]) for part in parts]
    return tf.cast(tf.concat(flat, 1), tf.int32)


def check_counts(**counts) -> None:
    """Raises a ValueError that names the first of the numbers that is not 1 or more."""
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")


def check_arguments(family, arguments: dict) -> None:
    """Raises a ValueError if an argument is not of the kind of its default; makes plain values."""
    for name, default in family.default_arguments().items():
        check_kind(name, arguments[name], default)
        arguments[name] = type(default)(arguments[name])
