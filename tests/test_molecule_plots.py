"""Grids of molecules: their size, where structures and reasons stand, and whole files."""

import numpy as np
import pytest
from PIL import Image

from tfflows.data import molecules
from tfflows.molecule_plots import molecule_grid

pytest.importorskip("rdkit")

VOCABULARY = molecules.Vocabulary((("C", 0), ("O", 0)), molecules.BONDS, 3)
#                   nodes      01 02 12
VECTORS = np.array([[1, 1, 2, 1, 0, 1], [1, 2, 0, 3, 0, 0], [1, 1, 1, 1, 0, 1]])


@pytest.fixture
def drawn():
    return molecules.from_vectors(VECTORS, VOCABULARY)


def cells(path, columns, width, height):
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    rows, across = pixels.shape[0] // height, pixels.shape[1] // width
    assert pixels.shape == (rows * height, columns * width, 3) and across == columns
    return [
        pixels[i * height : (i + 1) * height, j * width : (j + 1) * width]
        for i in range(rows)
        for j in range(columns)
    ]


def red(cell):
    """Pixels of the colour in which oxygen is drawn."""
    return ((cell[..., 0] > 200) & (cell[..., 1] < 100) & (cell[..., 2] < 100)).sum()


def test_a_grid(tmp_path, drawn):
    path = tmp_path / "new" / "grid.png"
    assert molecule_grid(drawn, path) == str(path)
    alcohol, invalid, propane, empty = cells(path, 2, 200, 200)
    assert red(alcohol) > 10 and red(invalid) == red(propane) == 0
    assert (empty == 255).all() and (propane != 255).any()
    # The reason is a line of grey text in the middle.
    assert (invalid[80:120] != 255).any()
    assert (invalid[:80] == 255).all() and (invalid[120:] == 255).all()
    assert [file.name for file in path.parent.iterdir()] == ["grid.png"]


def test_captions_and_columns(tmp_path, drawn):
    path = tmp_path / "grid.png"
    molecule_grid(drawn, path, columns=3, captions=["", "x", "a" * 200], size=150)
    found = [cell[150:] for cell in cells(path, 3, 150, 170)]
    widths = [np.flatnonzero((cell != 255).any((0, 2))) for cell in found]
    assert not len(widths[0]) and 1 < len(widths[1]) < 15
    assert 0 < widths[2].min() < widths[2].max() < 149 and np.ptp(widths[2]) > 100
    first = path.read_bytes()
    molecule_grid(drawn, path, columns=3, captions=["", "x", "a" * 200], size=150)
    assert path.read_bytes() == first


def test_a_failure_leaves_the_old_file(tmp_path, drawn, monkeypatch):
    path = tmp_path / "grid.png"
    path.write_bytes(b"old")

    def fail(self, file, **_):
        file.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        molecule_grid(drawn, path)
    assert path.read_bytes() == b"old" and len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"drawn": []}, "drawn: expected one or more molecules, got none"),
        ({"captions": ["a"]}, "captions: expected 0 or 3, got 1"),
        ({"columns": 0}, "columns: expected 1 or more, got 0"),
        ({"size": 0}, "size: expected 1 or more, got 0"),
    ],
)
def test_bad_arguments(tmp_path, drawn, arguments, message):
    with pytest.raises(ValueError, match=message):
        molecule_grid(**{"drawn": drawn, "path": tmp_path / "grid.png", **arguments})
    assert not [*tmp_path.iterdir()]
