"""One thread a test process, as the suite runs several side by side; and short collections."""

import gc
import os

import pytest

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="module", autouse=True)
def collected():
    """What a module's tests leave behind is collected, and what lives on is not looked at again.

    TensorFlow keeps graphs that have been traced: after a thousand tests Python's collector takes
    half a minute to go through them, and does so several times.
    """
    yield
    gc.collect()
    gc.freeze()
