"""The client of docs/compression.md codes with an export, in a process without the project."""

import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import export
from tests.codec.small_codec import likely, model
from tfflows import models

ROOT = pathlib.Path(__file__).parents[2]

_MAIN = """
import sys
x = np.load("x.npy")
words = compress(x)
assert (decompress(words, len(x)) == x).all(), "other images"
assert "tfflows" not in sys.modules
print(32 * len(words))
"""


@pytest.mark.slow
def test_the_client_of_the_guide_codes_and_decodes(tmp_path):
    (code,) = re.findall(r"```python\n(import constriction\n.*?)```", _guide(), re.DOTALL)
    export.save(model(), tmp_path / "served/idf")
    x = likely(40)
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "client.py").write_text(code + _MAIN)
    done = subprocess.run(
        [sys.executable, "client.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    bits = -np.sum(np.float64(model().log_prob(x))) / np.log(2.0)
    assert int(done.stdout) <= bits * 1.005 + 65


def _guide():
    return (ROOT / "docs" / "compression.md").read_text()


def test_signatures_are_those_of_the_guide(tmp_path):
    found = export.signatures(export.save(model(), tmp_path))
    assert set(found) == {
        *("log_prob", "sample", "serving_default", "encode", "decode_0", "decode_1")
    }
    assert list(found["encode"].outputs) == ["means", "scales", "symbols"]
    assert set(found["decode_1"].inputs) == {"symbols"}
    assert set(found["decode_0"].inputs) == {"symbols", "known"}
    assert set(found["decode_0"].outputs) == {"x"}


@pytest.mark.parametrize("quantized", [False, True])
def test_a_flow_of_one_level_and_one_of_float_networks(tmp_path, quantized):
    flow = models.ImageIntegerDiscreteFlow(
        (4, 4, 1), levels=1, steps=1, width=4, blocks=1, quantized=quantized
    )
    flow.initialize(np.random.default_rng(0).integers(0, 256, (8, 4, 4, 1)).astype("uint8"))
    path = export.save(flow, tmp_path)
    assert ("decode_0" in export.signatures(path)) == quantized
    assert (pathlib.Path(path) / "assets.extra/codec.npz").exists() == quantized
