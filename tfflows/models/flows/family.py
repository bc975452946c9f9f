"""What families of flows share, for vectors and for images."""

from __future__ import annotations

import contextlib
import inspect
import numbers

import keras
import numpy as np

from tfflows.models.described import Described, defaults

# A family seeds layer i with 1000 seed + i, and numpy's permutations take 32-bit seeds.
MAX_SEED = 2**32 // 1000 - 1
_PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16")

# By the type of an argument's default: the type of its values, and its name in errors.
_KINDS = {
    bool: (bool, "True or False"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a name"),
}


class FlowFamily(Described):
    """Mixin with what all families of flows have in common, for any kind of event.

    A subclass defines `layers_of(event, context_dim, seed, ...)`, which maps its own constructor
    arguments to the list of bijectors, nearest to the data first.
    """

    default_base = "normal"
    _check_variables = False  # no need: the families' bijectors are the project's own

    @staticmethod
    def layers_of(event, context_dim, seed, **arguments) -> list:
        """The bijectors of the family, nearest to the data first."""
        raise NotImplementedError

    @classmethod
    def _check_known(cls, arguments: dict) -> None:
        known = list(inspect.signature(cls.layers_of).parameters)[3:]
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise ValueError(
                f"{unknown[0]}: {cls.__name__} has no such argument; it takes {', '.join(known)}"
            )

    @classmethod
    def _check_kinds(cls, arguments: dict) -> None:
        """Raises a ValueError if an argument is not of the same kind as its default."""
        for name, default in cls.default_arguments().items():
            if name in arguments and name != "base":
                check_kind(name, arguments[name], default)

    @classmethod
    def default_arguments(cls) -> dict:
        """The arguments that a zoo config may set, each with its default."""
        values = super().default_arguments() | defaults(cls.layers_of)
        values["base"] = cls.default_base
        return {name: value for name, value in values.items() if value is not None}


def check_kind(name: str, value, default) -> None:
    """Raises a ValueError if an argument's value is not of the same kind as its default."""
    kind, expected = _KINDS.get(type(default), ((tuple, list), "a sequence"))
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name}: expected {expected}, got {value!r}")


def check_precision(precision: str | None) -> str:
    """Returns the dtype policy's name, Keras's global one if `None`; or raises a ValueError."""
    name = keras.config.dtype_policy().name if precision is None else precision
    if name not in _PRECISIONS:
        source = ", Keras's global policy" if precision is None else ""
        raise ValueError(
            f"precision: expected one of {', '.join(_PRECISIONS)} (for the conditioners; the "
            f"rest of a flow computes in float32), got {name!r}{source}"
        )
    return name


def layer_seed(seed: int) -> int:
    """A seed that layers can use: `seed` itself up to `MAX_SEED`, and a hash of any other."""
    if 0 <= seed <= MAX_SEED:
        return seed
    words = np.random.SeedSequence(seed % 2**64).generate_state(1, np.uint64)
    return int(words[0] % (MAX_SEED + 1))


@contextlib.contextmanager
def dtype_policy(name: str):
    """Context manager that sets Keras's global dtype policy to the one named."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def context_shape_of(context_dim) -> tuple[int] | None:
    """The shape of a context of length `context_dim`, or `None`."""
    return None if context_dim is None else (int(context_dim),)


def no_context(context_dim) -> None:
    """Raises ValueError for a family that takes no context and is given one."""
    if context_dim is not None:
        raise ValueError(f"context_dim: this family takes no context, got {context_dim}")
