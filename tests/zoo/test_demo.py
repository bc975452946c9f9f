import numpy as np
import pytest

from tests.zoo import binaries


@pytest.mark.slow
def test_demo(tmp_path):
    process = binaries.start("-m", "zoo.demo", f"--workdir={tmp_path}", "--steps=200")
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors[-3000:]
    assert "imported 0 of tfflows, zoo, export and TFP" in output
    assert "mean of log p_true - log q" in output
    for file in ("pictures/overview.png", "card.json", "serving/nsf_moons/1", "scores.npy"):
        assert (tmp_path / file).exists()
        assert str(tmp_path / file) in output
    assert np.isfinite(np.load(tmp_path / "scores.npy")).all()
