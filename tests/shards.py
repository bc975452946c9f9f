"""Parts of the tests, of about equal size; a test keeps its part when others come and go."""

import argparse
import zlib


def parse(text: str) -> tuple[int, int]:
    """K and N of `K/N`: the K-th of N parts, from 1.

    Raises:
      argparse.ArgumentTypeError: if it is none.
    """
    part, parts = 0, 0
    if text.count("/") == 1 and text.replace("/", "").isdecimal():
        part, parts = (int(number or 0) for number in text.split("/"))
    if not 1 <= part <= parts:
        raise argparse.ArgumentTypeError(f"expected K/N with 1 <= K <= N, got {text!r}")
    return part, parts


def holds(shard: tuple[int, int], nodeid: str) -> bool:
    """Whether a test is in the shard."""
    part, parts = shard
    return zlib.crc32(nodeid.encode()) % parts == part - 1
