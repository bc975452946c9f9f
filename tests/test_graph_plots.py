"""Pictures of graphs: where nodes lie, and which edges stand out."""

import numpy as np
import pytest
from PIL import Image

from tfflows.graph_plots import graph_grid, layout


def test_a_path_is_a_line_and_a_ring_is_round():
    for size in (2, 5, 12):
        path = np.eye(size, k=1) + np.eye(size, k=-1)
        places = layout(path)
        gaps = np.linalg.norm(places[:, None] - places, axis=-1)
        steps = np.abs(np.subtract.outer(range(size), range(size)))
        np.testing.assert_allclose(gaps, steps, atol=0.01)
    ring = np.eye(5, k=1) + np.eye(5, k=-1)
    ring[0, 4] = ring[4, 0] = 1
    places = layout(ring)
    radii = np.linalg.norm(places - places.mean(0), axis=1)
    assert np.ptp(radii) < 1e-3 and radii.min() > 0.5


def test_pieces_and_single_nodes_have_places():
    assert layout(np.zeros([1, 1])).shape == (1, 2)
    places = layout(np.zeros([3, 3]))
    gaps = np.linalg.norm(places[:, None] - places, axis=-1)
    assert np.isfinite(places).all() and gaps[~np.eye(3, dtype=bool)].min() > 0.5


def test_edges_between_nodes_of_one_type_are_black(tmp_path):
    #                   nodes    01 02 12
    rows = np.array([[1, 2, 3, 1, 1, 1], [1, 1, 0, 1, 0, 0]])
    pictures = []
    for name, vectors in (("proper.png", rows[:1]), ("both.png", rows)):
        assert graph_grid(vectors, tmp_path / name) == str(tmp_path / name)
        pictures.append(np.asarray(Image.open(tmp_path / name).convert("RGB")))
    black = [(picture.max(-1) < 30).sum() for picture in pictures]
    assert black[0] == 0 and black[1] > 100
    graph_grid(np.zeros([1, 6], int), tmp_path / "nothing.png")
    with pytest.raises(ValueError, match="vectors: expected nodes in the first places"):
        graph_grid(np.array([[0, 1, 1, 0, 0, 1]]), tmp_path / "none.png")
    with pytest.raises(ValueError, match="vectors: expected at least one graph, got none"):
        graph_grid(rows[:0], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
