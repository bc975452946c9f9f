"""Text as rows of numbers."""

import gzip
import math

import numpy as np
import pytest

from tfflows.data import text


def test_text_there_and_back():
    source = "to be, or not: Zürich 😀\n"
    letters = text.alphabet(source)
    assert letters == "".join(sorted(set(source))) and letters[0] == "\n"
    numbers = text.encode(source, letters)
    assert numbers.dtype == np.int32
    assert [letters[k] for k in numbers] == list(source)
    assert text.decode(numbers, letters) == source
    # An alphabet in an order of its own.
    assert text.encode("abc", "cab").tolist() == [1, 2, 0]
    assert text.decode(np.array([0, 5, -1]), "ab") == "a\ufffd\ufffd"
    with pytest.raises(ValueError, match="text: expected characters .* got 'x' in line 2"):
        text.encode("to\nbx", "tobe\n")


def test_files(tmp_path):
    plain, packed = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    packed.write_bytes(gzip.compress(b"drei\n"))
    assert text.read(plain) == "one\ntwo\nthree\n"
    assert text.read(packed) == "drei\n"
    bad = {
        "latin.txt": (b"caf\xe9 au lait", "expected text in UTF-8, got byte 0xe9 at 3"),
        "zero.txt": (b"a\0b", "zero bytes"),
        "empty.txt": (b"", "an empty file"),
        "cut.gz": (gzip.compress(b"x" * 1000)[:-12], "cannot read"),
        "no.gz": (b"plain", "cannot read"),
    }
    for name, (content, message) in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=message):
            text.read(tmp_path / name)
    with pytest.raises(ValueError, match="cannot read .*No such file"):
        text.read(tmp_path / "absent.txt")


def test_windows():
    numbers = np.arange(7)
    assert text.windows(numbers, 3, 1).tolist() == [[k, k + 1, k + 2] for k in range(5)]
    assert text.windows(numbers, 3, 3).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert text.windows(numbers, 7, 2).tolist() == [list(range(7))]
    with pytest.raises(ValueError, match="length: expected at most the 7 characters.*got 8"):
        text.windows(numbers, 8, 1)
    with pytest.raises(ValueError, match="length: expected 1 or more, got 0"):
        text.windows(numbers, 0, 1)


def test_entropies():
    """Of pairs a b, a c: the second letter has a bit after an a, and none after the others."""
    rng = np.random.default_rng(0)
    numbers = np.stack([np.zeros(50_000, int), rng.integers(1, 3, 50_000)], 1).ravel()
    one, two = text.entropies(numbers)
    assert one == pytest.approx(1.5, abs=1e-3)
    assert two == pytest.approx(0.5, abs=1e-3)
    assert text.entropies(np.tile([0, 1, 2, 3], 100))[0] == pytest.approx(math.log2(4))
