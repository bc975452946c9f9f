"""One thread a test process, as the suite runs several side by side; short collections; shards."""

import gc
import os

import pytest

from tests import shards

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


def pytest_addoption(parser):
    parser.addoption(
        "--shard",
        type=shards.parse,
        metavar="K/N",
        help="run the K-th of N parts of the tests, of about the same size each",
    )


def pytest_collection_modifyitems(config, items):
    """Leaves the tests of one shard."""
    if config.getoption("--shard") is None:
        return
    kept = [item for item in items if shards.holds(config.getoption("--shard"), item.nodeid)]
    config.hook.pytest_deselected(items=list({*items} - {*kept}))
    items[:] = kept
