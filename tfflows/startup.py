"""Imports TensorFlow without its messages about CPUs and missing GPUs.

TF_CPP_MIN_LOG_LEVEL silences most of them. A few are logged while the libraries load, before
TensorFlow has read the variable, so those lines are filtered out of stderr during the import.
"""

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_WARNINGS_TOO = "2"  # leaves only errors

# An absl line of level INFO, and absl's first line.
_NOTES = ("^I[0-9]* .*[.]cc:[0-9]*\\]", "^WARNING: All log messages before absl::InitializeLog")

# On a machine without a GPU the CUDA library logs its failure as an error. A machine with a GPU has
# one of these files: NVIDIA's driver has the first three, Windows's driver for Linux the last.
_NO_GPU = "failed call to cuInit"
_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/proc/driver/nvidia", "/dev/dxg")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Context manager in which importing TensorFlow logs only errors.

    It silences nothing if TensorFlow is already imported, or if the environment asks for more with
    a TF_CPP_MIN_LOG_LEVEL below 2.
    """
    level = os.environ.setdefault(LEVEL, _WARNINGS_TOO)
    if "tensorflow" in sys.modules or level < _WARNINGS_TOO:
        yield
        return
    gpu = any(os.path.exists(path) for path in _DRIVERS)
    with _without(_NOTES if gpu else (*_NOTES, _NO_GPU)):
        yield
        if not gpu:  # let CUDA fail here, once, and not at the user's first operation
            importlib.import_module("tensorflow").config.list_physical_devices("GPU")


@contextlib.contextmanager
def _without(notes: Sequence[str]) -> Iterator[None]:
    """Context manager that filters lines matching `notes` out of stderr's file descriptor."""
    grep = shutil.which("grep")
    try:
        stderr = os.dup(2)
    except OSError:  # stderr is closed
        grep = stderr = None
    if grep is None:
        yield
        return
    # A separate process still passes on the output if this one crashes in an import.
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
        # Do not wait for ever: a process started meanwhile may have kept the pipe open.
        with contextlib.suppress(subprocess.TimeoutExpired):
            filtering.wait(timeout=2)
