"""Models described by plain values: their config, and what Keras saves."""

from __future__ import annotations

import inspect

# Constructor arguments that a zoo config does not set as entries of `model.args`.
NO_ENTRIES = {
    *("self", "dim", "shape", "context_dim", "samples", "seed", "name", "trainable", "precision"),
}


class Described:
    """A model whose constructor arguments are plain values, kept as `_config`."""

    _config: dict

    @classmethod
    def event_arguments(cls, event_shape: tuple[int, ...]) -> dict:
        """The constructor arguments that set the shape of one datum."""
        raise NotImplementedError

    @classmethod
    def default_arguments(cls) -> dict:
        """The arguments that a zoo config may set, each with its default."""
        values = {}
        for c in reversed(cls.__mro__):
            if issubclass(c, Described) and "__init__" in c.__dict__:
                values |= defaults(c.__init__)
        return values

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**self._config, "name": self.name, **self.data_config()}


def defaults(function) -> dict:
    """The arguments of a function that a config may set and that have a default."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in NO_ENTRIES and parameter.default is not inspect.Parameter.empty
    }
