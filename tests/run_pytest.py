"""Runs pytest on the files given: the entry point of the test targets in BUILD."""

import os
import sys

import pytest


class Deselected:
    """Counts tests that are not run because they are marked slow."""

    count = 0

    def pytest_deselected(self, items):
        self.count += len(items)


def main(arguments: list[str]) -> int:
    # Bazel starts this file by its path, which puts tests/ itself, with folders named as our
    # packages are, first on the path.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    scratch = os.environ.get("TEST_TMPDIR")
    if scratch:
        # matplotlib and Keras write under the home folder, which a sandbox does not have.
        os.environ.setdefault("HOME", scratch)
        arguments = [*arguments, "-p", "no:cacheprovider", f"--basetemp={scratch}/pytest"]
    deselected = Deselected()
    code = pytest.main(arguments, plugins=[deselected])
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and deselected.count:
        return 0
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
