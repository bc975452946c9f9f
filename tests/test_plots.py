import json
import os

import numpy as np
import pytest
from matplotlib import image

from tfflows import image_plots, plots
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


def test_image_grid_shows_each_pixel(tmp_path):
    path = tmp_path / "g.png"
    images = np.arange(5 * 2 * 3 * 1).reshape(5, 2, 3, 1).astype(np.uint8) * 8
    assert image_plots.image_grid(images, path, columns=3) == str(path)
    pixels = np.round(255 * image.imread(path)[..., :3]).astype(int)
    rows, columns = (np.flatnonzero(np.any(pixels < 255, axis=(axis, 2))) for axis in (1, 0))
    pixels = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    zoom, gap = 900 // 9, 4
    assert pixels.shape == (4 * zoom + gap, 9 * zoom + 2 * gap, 3)
    centre = zoom // 2 + zoom * np.arange(3)
    for index, image_ in enumerate(images):
        row, column = divmod(index, 3)
        rows, columns = (2 * zoom + gap) * row + centre[:2], (3 * zoom + gap) * column + centre
        np.testing.assert_array_equal(pixels[rows[:, None], columns], image_.repeat(3, axis=-1))
    assert np.all(pixels[2 * zoom + gap :, 6 * zoom + 2 * gap :] == 255)  # no sixth image
    assert os.listdir(tmp_path) == ["g.png"]


def test_image_grid_with_labels(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, [12, 8, 8, 3]).astype(np.uint8)
    plain, labelled = tmp_path / "plain.png", tmp_path / "labelled.png"
    check(image_plots.image_grid(images, plain), plain)
    labels = {"title": "images", "row_labels": ["one", "two"], "column_labels": ["a", "b", "c"]}
    check(image_plots.image_grid(images, labelled, 4, **labels), labelled)
    bare, wide = image.imread(plain), image.imread(labelled)
    assert wide.shape[0] > bare.shape[0] and wide.shape[1] > bare.shape[1]


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros([2, 8, 8], np.uint8), r"images: expected shape \[n, H, W, 1 or 3\]"),
        (np.zeros([2, 8, 8, 2], np.uint8), r"images: expected shape .*, got \[2, 8, 8, 2\]"),
        (np.zeros([0, 8, 8, 1], np.uint8), r"images: expected shape .*, got \[0, 8, 8, 1\]"),
        (np.zeros([2, 8, 8, 1]), "images: expected uint8, got float64"),
    ],
)
def test_image_grid_checks_its_images(tmp_path, images, message):
    with pytest.raises(ValueError, match=message):
        image_plots.image_grid(images, tmp_path / "g.png")
