"""The versions of TensorFlow, Keras and TFP that tfflows runs with, checked at import.

TensorFlow Probability is built on tf_keras (Keras 2), tfflows on Keras 3, and a mismatch of the
four packages shows up as an import error deep inside one of them. `check` runs before any of them
is used and says what to install instead.
"""

import importlib
import importlib.metadata
import importlib.util
import re

VERSION = "0.1.0"

# Module to (distribution, lowest version, first version that is too new). `setup.py` reads
# VERSION and REQUIRED without importing the package, so they stay literals.
REQUIRED = {
    "tensorflow": ("tensorflow", "2.21", "2.22"),
    "keras": ("keras", "3.15", "3.16"),
    "tf_keras": ("tf-keras", "2.21", "2.22"),
    "tensorflow_probability": ("tensorflow-probability", "0.25", "0.26"),
}

# Other distributions that provide the same module.
_VARIANTS = {"tensorflow": ("tensorflow-cpu", "tensorflow-rocm", "tensorflow-aarch64")}


def check() -> None:
    """Checks that the packages tfflows is built on are installed and compatible.

    Raises:
      ImportError: if a package is missing or outside the range tfflows was tested with, or Keras
        runs on a backend other than TensorFlow; the message says in one sentence what to do.
    """
    for module, (distribution, low, high) in REQUIRED.items():
        found, version = _installed(module, distribution)
        install = f"pip install '{found}>={low},<{high}'"
        if version is None:
            raise ImportError(
                f"tfflows needs {distribution} >={low},<{high}, which is not installed: {install}"
            )
        if not _numbers(low) <= _numbers(version) < _numbers(high):
            raise ImportError(
                f"tfflows needs {distribution} >={low},<{high}, but {found} {version} is "
                f"installed: {install}"
            )
    backend = _keras_backend()
    if backend != "tensorflow":
        raise ImportError(
            f"tfflows needs Keras on its TensorFlow backend, but Keras is set to {backend!r}: set "
            "KERAS_BACKEND=tensorflow in the environment (or in ~/.keras/keras.json) before "
            "anything imports keras"
        )


def _installed(module: str, distribution: str) -> tuple[str, str | None]:
    """The distribution that provides `module`, and its version (None if there is none)."""
    if importlib.util.find_spec(module) is None:
        return distribution, None
    for name in (distribution, *_VARIANTS.get(module, ())):
        try:
            return name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    # Not a pip distribution (a source tree, a nightly): ask the module itself.
    return distribution, importlib.import_module(module).__version__


def _numbers(version: str) -> tuple[int, int]:
    """Major and minor version: "2.21.0rc1" to (2, 21)."""
    major, minor = re.match(r"(\d+)\.(\d+)", version).groups()
    return int(major), int(minor)


def _keras_backend() -> str:
    """The backend Keras runs on, or the one it was set to but could not import."""
    try:
        return importlib.import_module("keras").config.backend()
    except ImportError as error:
        if error.name in ("jax", "torch", "openvino"):
            return error.name
        raise
