import json
import os

import numpy as np
import pytest
from matplotlib import image

from tfflows import plots
from tfflows.data import toy


class Rotation:
    """An exact flow: two moons and the plane turned by an angle that grows with the radius."""

    def __init__(self):
        self.moons = toy.get("two_moons")
        self.log_prob = self.moons.log_prob
        self.sizes = set()

    def sample(self, n, seed=None):
        return self.moons.sample(n, seed)

    def _turn(self, x, sign):
        self.sizes.add(len(x))
        angle = sign * np.hypot(*x.T) + np.arctan2(x[:, 1], x[:, 0])
        return np.hypot(*x.T)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def encode(self, x):
        return self._turn(np.asarray(x), 1)

    def decode(self, z):
        return self._turn(np.asarray(z), -1)


def check(result, path):
    """The file is a PNG with something on it, and nothing else was left in the folder."""
    assert result == str(path)
    pixels = image.imread(path)
    assert pixels.shape[0] > 300 and np.std(pixels[..., :3]) > 0.02
    assert [p for p in os.listdir(path.parent) if p.endswith(".tmp")] == []
    return pixels


def test_density_1d(tmp_path):
    mixture = toy.get("mixture_1d")
    path = tmp_path / "new" / "d.png"
    check(plots.density_1d(mixture, mixture.sample(500, 0), path, mixture.bounds), path)
    check(plots.density_1d(mixture.log_prob, mixture.sample(500, 0)[:, 0], path), path)
    check(plots.density_1d(mixture.log_prob, mixture.sample(500, 0), path, (-3, 3)), path)
    with pytest.raises(
        ValueError, match=r"samples: expected shape \[n\] or \[n, 1\], got \[4, 2\]"
    ):
        plots.density_1d(mixture, np.zeros((4, 2)), path)


def test_density_2d(tmp_path):
    path = tmp_path / "d.png"
    check(plots.density_2d(Rotation(), path, title="two moons"), path)
    board = toy.get("checkerboard")  # has -inf
    check(plots.density_2d(board.log_prob, path, board.bounds, resolution=50), path)


def test_density_2d_is_the_right_way_up(tmp_path):
    """Mass at x1 > 0, x2 > 0 shows in the upper right."""

    def log_prob(x):
        return -4 * np.sum((x - [2.0, 2.0]) ** 2, axis=1)

    path = tmp_path / "d.png"
    plots.density_2d(log_prob, path)
    pixels = image.imread(path)[..., :3]
    height, width = pixels.shape[:2]
    inner = pixels[height // 8 : -height // 4, width // 6 : int(0.7 * width)]
    rows, columns = np.nonzero(inner[..., 0] > 0.9)
    assert np.median(rows) < inner.shape[0] / 2 < inner.shape[1]
    assert np.median(columns) > inner.shape[1] / 2


def test_latent_grid(tmp_path):
    path = tmp_path / "g.png"
    flow = Rotation()
    check(plots.latent_grid(flow, path), path)
    assert len(flow.sizes) == 1  # batches of one size: a flow is traced once


def test_overview_2d(tmp_path):
    path = tmp_path / "o.png"
    flow = Rotation()
    check(plots.overview_2d(flow, flow.sample(300, 0), path, title="two moons"), path)
    check(plots.overview_2d(flow, flow.sample(5000, 0), path, flow.moons.bounds), path)
    with pytest.raises(ValueError, match=r"data: expected shape \[n, 2\], got \[3\]"):
        plots.overview_2d(flow, np.zeros(3), path)


def test_training_curve(tmp_path):
    path = tmp_path / "c.png"
    records = [{"step": i, "loss": 1 / (i + 1), "note": "x"} for i in range(100)]
    records += [{"step": 50, "val_loss": 0.3}, {"step": 60, "loss": float("nan")}]
    check(plots.training_curve(records, path), path)
    check(plots.training_curve([{"step": 1, "bits": 2.0}], path), path)
    lines = "\n".join(json.dumps(record) for record in records)
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text(lines + '\n{"step": 7, "lo')
    check(plots.training_curve(metrics, path), path)
    with pytest.raises(ValueError, match="metrics: expected records with a step"):
        plots.training_curve([], path)
    metrics.write_text("{\n" + lines)
    with pytest.raises(ValueError, match="metrics: expected JSON in line 1"):
        plots.training_curve(metrics, path)


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        plots.density_2d(toy.get("rings"), tmp_path / "d.png", resolution=10)
    assert os.listdir(tmp_path) == []


def test_no_global_state():
    import matplotlib

    before = dict(matplotlib.rcParams)
    figure, _ = plots._figure(1, 2.0, 2.0)
    assert figure.canvas.manager is None
    assert dict(matplotlib.rcParams) == before
