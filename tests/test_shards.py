"""Shards: each test in one of them, and in the same one always."""

import argparse

import pytest

from tests import shards

TESTS = [f"tests/zoo/test_a.py::test_b[{i}]" for i in range(800)]


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_each_test_is_in_one_shard(parts):
    among = [[t for t in TESTS if shards.holds((k + 1, parts), t)] for k in range(parts)]
    assert sorted(sum(among, [])) == sorted(TESTS)
    assert all(600 < len(part) * parts < 1000 for part in among)


def test_a_test_keeps_its_shard():
    assert shards.holds((2, 8), TESTS[0]) and not shards.holds((1, 8), TESTS[0])


def test_parse():
    assert shards.parse("2/3") == (2, 3)


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/2/3", "a/3", "/3", "1/", "-1/3"])
def test_what_is_no_shard(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected K/N"):
        shards.parse(text)
