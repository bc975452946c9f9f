"""SavedModels for TF Serving: `export.save`, `export.check` and `python -m export`."""

import importlib

__all__ = ["check", "save", "signatures"]

_MODULES = {"check": "checks", "save": "saved_model", "signatures": "checks"}


def __getattr__(name: str):
    # TensorFlow takes seconds to import, and `python -m export --help` does not need it.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    importlib.import_module("tfflows")  # first, as it silences TensorFlow's log
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
