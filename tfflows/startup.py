"""Importing TensorFlow without its notes on CPUs and missing GPUs.

TF_CPP_MIN_LOG_LEVEL silences most of them. A few are logged while the libraries are loaded, before
TensorFlow has read the variable, so those lines are taken out of what is written meanwhile.
"""

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_WARNINGS_TOO = "2"  # errors are what is left

# An absl line of level INFO, and the line with which absl begins.
_NOTES = ("^I[0-9]* .*[.]cc:[0-9]*\\]", "^WARNING: All log messages before absl::InitializeLog")

# On a machine without a GPU the CUDA library says that it has failed, as an error. What a GPU needs
# has one of these files: NVIDIA's driver, and that of Windows under Linux.
_NO_GPU = "failed call to cuInit"
_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/proc/driver/nvidia", "/dev/dxg")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within it, importing TensorFlow logs errors and nothing else.

    It changes nothing if TensorFlow has been imported, or if the environment asks for more by a
    TF_CPP_MIN_LOG_LEVEL below 2.
    """
    level = os.environ.setdefault(LEVEL, _WARNINGS_TOO)
    if "tensorflow" in sys.modules or level < _WARNINGS_TOO:
        yield
        return
    gpu = any(os.path.exists(path) for path in _DRIVERS)
    with _without(_NOTES if gpu else (*_NOTES, _NO_GPU)):
        yield
        if not gpu:  # it fails here, once, and not at the user's first operation
            importlib.import_module("tensorflow").config.list_physical_devices("GPU")


@contextlib.contextmanager
def _without(notes: Sequence[str]) -> Iterator[None]:
    """Takes lines of some patterns out of what is written to the file descriptor of stderr."""
    grep = shutil.which("grep")
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed
        grep = stderr = None
    if grep is None:
        yield
        return
    # A process of its own passes on what is written even if this one crashes in an import.
    patterns = [part for note in notes for part in ("-e", note)]
    filtering = subprocess.Popen(
        [grep, "-v", "--line-buffered", *patterns], stdin=subprocess.PIPE, stdout=stderr
    )
    os.dup2(filtering.stdin.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        filtering.stdin.close()
        # Not for ever: a process started meanwhile may have kept the pipe open.
        with contextlib.suppress(subprocess.TimeoutExpired):
            filtering.wait(timeout=2)
