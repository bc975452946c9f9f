"""What named families share: flows that plain values describe, and that Keras can save whole."""

from __future__ import annotations

import contextlib
import inspect
import numbers

import keras
import numpy as np

from tfflows import bijectors as tb
from tfflows import distributions
from tfflows.checks import check_seed
from tfflows.models.cells import Dequantized
from tfflows.models.flow import Flow
from tfflows.networks import MLP, AutoregressiveNetwork, ResidualMLP

# A family keys layer i by 1000 seed + i, and numpy's permutations take 32 bits.
MAX_SEED = 2**32 // 1000 - 1
_PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16")

# Of an argument's default: what its values are, and how that is said.
_KINDS = {
    bool: (bool, "True or False"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a name"),
}


class Described:
    """What models that plain values describe have in common, whatever their events.

    A subclass defines `layers_of(event, context_dim, seed, ...)`, from its own constructor
    arguments to the list of bijectors, nearest to the data first.
    """

    default_base = "normal"
    _check_variables = False  # the families' bijectors are the project's own
    _shared_arguments = ()  # of every family of a kind that a config of the zoo may set

    @staticmethod
    def layers_of(event, context_dim, seed, **arguments) -> list:
        """The bijectors of the family, nearest to the data first."""
        raise NotImplementedError

    @classmethod
    def event_arguments(cls, event_shape: tuple[int, ...]) -> dict:
        """The constructor's arguments that say of what shape one datum is."""
        raise NotImplementedError

    @classmethod
    def _check_known(cls, arguments: dict) -> None:
        known = list(inspect.signature(cls.layers_of).parameters)[3:]
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise ValueError(
                f"{unknown[0]}: {cls.__name__} has no such argument; it has {', '.join(known)}"
            )

    @classmethod
    def _check_kinds(cls, arguments: dict) -> None:
        """Raises for an argument of another kind than its default."""
        for name, default in cls.default_arguments().items():
            if name not in arguments or name == "base":
                continue
            value = arguments[name]
            kind, expected = _KINDS.get(type(default), ((tuple, list), "a sequence"))
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise ValueError(f"{name}: expected {expected}, got {value!r}")

    @classmethod
    def default_arguments(cls) -> dict:
        """The arguments that a config of the zoo may set, each with its default."""
        kind = next(c for c in cls.__mro__ if "_shared_arguments" in c.__dict__)
        common = inspect.signature(kind.__init__).parameters
        own = {
            **dict(list(inspect.signature(cls.layers_of).parameters.items())[3:]),
            **inspect.signature(cls.__init__).parameters,
        }
        values = {name: common[name].default for name in cls._shared_arguments}
        values |= {
            name: parameter.default
            for name, parameter in own.items()
            if name not in common and parameter.default is not inspect.Parameter.empty
        }
        values["base"] = cls.default_base
        return {name: value for name, value in values.items() if value is not None}

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**self._config, "name": self.name, **self.columns_config()}


class Family(Described, Dequantized, Flow):
    """A flow of vectors built from plain values, which are its config.

    A subclass defines `layers_of(...)`, from its own constructor arguments to the list of
    bijectors, nearest to the data first; the rest is here.

    Args:
      dim: length of the data vector.
      base: base distribution of each latent; see `Flow`.
      context_dim: length of the context vector, or `None`.
      standardize: put the data's mean and standard deviation into the model; see
        `Flow.set_standardization`.
      dequantize: give numbers that repeat noise, and a probability in place of a density; see
        `Dequantized.set_cells`.
      marginals: bins of the splines that first make each number normal by itself; 0 for none. See
        `tfflows.bijectors.Marginals`.
      seed: seed of initial weights, permutations and training noise.
      name: name of the model.
      precision: Keras dtype policy of the conditioners; the global one by default. It is part of
        the config, so that a saved model computes what it computed.
      **arguments: those of `layers_of`.

    Raises:
      ValueError: for an argument that the family does not have, or one out of its range.
    """

    _shared_arguments = ("base", "standardize", "dequantize", "marginals")

    def __init__(
        self,
        dim: int,
        base: str | None = None,
        context_dim: int | None = None,
        standardize: bool = False,
        dequantize: bool = False,
        marginals: int = 0,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
        precision: str | None = None,
        **arguments,
    ):
        if int(dim) < 1:
            raise ValueError(f"dim: expected at least 1, got {dim}")
        self._check_known(arguments)
        seed = check_seed(seed)
        config = {
            "dim": int(dim),
            "base": base,
            "context_dim": context_dim,
            "standardize": standardize,
            "dequantize": dequantize,
            "marginals": int(marginals),
            "seed": seed,
            "precision": check_precision(precision),
            **arguments,
        }
        if isinstance(base, distributions.Base):
            config["base"] = base.name
        with dtype_policy(config["precision"]):
            layers = self.layers_of(dim, context_dim, layer_seed(seed), **arguments)
            if marginals:
                layers = [tb.Marginals(dim, int(marginals)), *layers]
            if standardize:
                layers = [tb.Standardize(dim), *layers]
            super().__init__(
                tb.Chain(layers),
                event_shape=[dim],
                base=self.default_base if base is None else base,
                seed=seed,
                name=name,
                trainable=trainable,
            )
        self._make_cells(dim, dequantize)
        self._config = config

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor's arguments that say of what shape one datum is."""
        return {"dim": event_shape[0]}

    def _initialize(self, x, context):
        super()._initialize(
            x if self._noise_cells is None else self._with_numbered_noise(x), context
        )

    def encode_fn(self, x, context=None):
        """Data to latents, as a graph function; numbers that have a cell get noise first."""
        # Not too near to the next cell for float32: what is decoded is what was encoded.
        noisy = x if self._noise_cells is None else self._with_own_noise(x, 0.9)
        return super().encode_fn(noisy, context)

    def decode_fn(self, z, context=None):
        """Latents to data, as a graph function."""
        x = super().decode_fn(z, context)
        return x if self._noise_cells is None else self._on_grid(x)


def check_precision(precision: str | None) -> str:
    """The name of the dtype policy, Keras's global one if `None`; or a ValueError."""
    name = keras.config.dtype_policy().name if precision is None else precision
    if name not in _PRECISIONS:
        source = ", Keras's global policy" if precision is None else ""
        raise ValueError(
            f"precision: expected one of {', '.join(_PRECISIONS)} (a flow computes in float32, "
            f"its conditioners as the policy says), got {name!r}{source}"
        )
    return name


def layer_seed(seed: int) -> int:
    """A seed that layers can be keyed by: itself up to `MAX_SEED`, and a hash of any other."""
    if 0 <= seed <= MAX_SEED:
        return seed
    words = np.random.SeedSequence(seed % 2**64).generate_state(1, np.uint64)
    return int(words[0] % (MAX_SEED + 1))


@contextlib.contextmanager
def dtype_policy(name: str):
    """Within it, Keras's global policy is the one named."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def context_shape_of(context_dim) -> tuple[int] | None:
    """The shape of a context of that length, or `None`."""
    return None if context_dim is None else (int(context_dim),)


def mixers(dim: int, linear: str, seed: int) -> list:
    """What mixes dimensions between two layers."""
    if dim == 1 or linear == "none":
        return []
    if linear == "reverse":
        return [tb.reversal(dim)]
    if linear == "permute":
        return [tb.random_permutation(dim, seed)]
    if linear == "lu":
        return [tb.random_permutation(dim, seed), tb.LULinear(dim)]
    raise ValueError(f"linear: expected none, reverse, permute or lu, got {linear!r}")


def stack(dim, layers, linear, actnorm, seed, layer) -> list:
    """`layers` times: ActNorm, a mixer, `layer(index)`."""
    if layers < 1:
        raise ValueError(f"layers: expected at least 1, got {layers}")
    stack = []
    for index in range(layers):
        stack += [tb.ActNorm(dim)] if actnorm else []
        stack += mixers(dim, linear, seed * 1000 + index)
        stack.append(layer(index))
    return stack


def _mask(dim: int, index: int) -> np.ndarray:
    """Alternating halves: even positions kept by even layers, odd by odd ones."""
    if dim < 2:
        raise ValueError(f"dim: a coupling needs at least 2, got {dim}")
    return np.arange(dim) % 2 == index % 2


def coupling_layer(
    dim, index, map, hidden_units, residual, dropout, context_dim, seed, activation="relu"
) -> tb.Coupling:
    """The coupling of layer `index`, over alternating halves."""
    network = ResidualMLP if residual else MLP
    return tb.Coupling(
        _mask(dim, index),
        map,
        lambda outputs: network(
            outputs, hidden_units, activation, dropout=dropout, seed=seed * 1000 + index
        ),
        context_shape=context_shape_of(context_dim),
        name=f"coupling_{index}",
    )


def autoregressive_layer(
    dim, index, map, hidden_units, residual, dropout, context_dim, seed, activation="relu"
) -> tb.MaskedAutoregressive:
    """The masked autoregression of layer `index`."""
    return tb.MaskedAutoregressive(
        dim,
        map,
        lambda params: AutoregressiveNetwork(
            params,
            dim,
            hidden_units,
            activation=activation,
            residual=residual,
            dropout=dropout,
            conditional_event_shape=context_shape_of(context_dim),
            seed=seed * 1000 + index,
            name=f"made_{index}",
        ),
        context_shape=context_shape_of(context_dim),
        name=f"autoregressive_{index}",
    )


def stack_of_map(
    map,
    dim,
    context_dim,
    seed,
    layers,
    autoregressive,
    hidden_units,
    actnorm,
    linear,
    residual,
    dropout,
    activation="relu",
) -> list:
    """`layers` layers of one elementwise map, each a coupling or a masked autoregression."""
    make = autoregressive_layer if autoregressive else coupling_layer

    def layer(index):
        return make(dim, index, map, hidden_units, residual, dropout, context_dim, seed, activation)

    return stack(dim, layers, linear, actnorm, seed, layer)


def no_context(context_dim) -> None:
    """Raises ValueError for a family that takes no context and is given one."""
    if context_dim is not None:
        raise ValueError(f"context_dim: the family takes no context, got {context_dim}")
