"""The figures of drawn molecules, worked out by hand on seven draws."""

import numpy as np
import pytest

from tfflows.data import graphs, molecule_report, molecules

pytest.importorskip("rdkit")

VOCABULARY = molecules.Vocabulary((("C", 0), ("O", 0), ("F", 0)), molecules.BONDS, 3)
#                   nodes      01 02 12
DRAWS = np.array(
    [
        [1, 1, 2, 1, 0, 1],  # CCO
        [2, 1, 1, 1, 0, 1],  # the same
        [1, 2, 0, 1, 0, 0],  # CO
        [1, 2, 2, 2, 0, 0],  # C=O and O
        [1, 2, 0, 3, 0, 0],  # a triple bond of oxygen; corrected, C=O
        [3, 3, 1, 2, 0, 0],  # F=F, also in the largest piece; corrected, FF
        [0, 0, 0, 0, 0, 0],
    ]
)


def test_figures_by_hand():
    report = molecule_report.report(DRAWS, VOCABULARY, {"CO", "FF"}, np.array([3, 3, 3, 2]))
    assert report.drawn.smiles == ["CCO", "CCO", "CO", None, None, None, None]
    assert report.piece.smiles == ["CCO", "CCO", "CO", "C=O", None, None, None]
    assert report.corrected.smiles == ["CCO", "CCO", "CO", "C=O", "C=O", "FF", None]
    assert report.invalid == {"valence": 2, "several pieces": 1, "no atoms": 1}
    for quality, expected in [
        (report.drawn, (3 / 7, 2 / 3, 1 / 2, 8 / 3)),
        (report.piece, (4 / 7, 3 / 4, 2 / 3, 10 / 4)),
        (report.corrected, (6 / 7, 4 / 6, 2 / 4, 14 / 6)),
    ]:
        found = (quality.valid, quality.unique, quality.novel, quality.atoms)
        assert found == pytest.approx(expected)
    np.testing.assert_allclose(report.sizes, [1 / 7, 0, 2 / 7, 4 / 7])
    np.testing.assert_allclose(report.data_sizes, [0, 0, 1 / 4, 3 / 4])
    assert report.size_distance == pytest.approx(5 / 28)


def test_without_data_and_without_valid_draws():
    report = molecule_report.report(DRAWS[4:5], VOCABULARY)
    assert (report.drawn.valid, report.drawn.unique, report.drawn.atoms) == (0.0, None, None)
    assert report.corrected.valid == 1.0 and report.corrected.novel is None
    assert report.data_sizes is None and report.size_distance is None


def test_kekule_forms_are_one_molecule():
    vocabulary = molecules.Vocabulary((("C", 0), ("N", 0)), ("single", "double"), 6)
    ring = [(i, (i + 1) % 6) for i in range(6)]
    adjacency = np.zeros([2, 6, 6], int)
    for turn in (0, 1):
        for place, (i, j) in enumerate(ring):
            adjacency[turn, i, j] = adjacency[turn, j, i] = 1 + (place + turn) % 2
    types = np.repeat([[2, 1, 1, 1, 1, 1]], 2, axis=0)
    report = molecule_report.report(graphs.pack(types, adjacency), vocabulary, ["c1ccncc1"])
    assert report.drawn.smiles == ["c1ccncc1"] * 2
    assert (report.drawn.unique, report.drawn.novel) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("vectors", "sizes", "message"),
    [
        (DRAWS[:0], None, r"vectors: expected one or more, got shape \[0, 6\]"),
        (DRAWS * 2, None, "vectors: expected categories 0 to 3"),
        (DRAWS, np.array([4]), "data_sizes: expected 0 to 3 atoms, got 4 to 4"),
        (DRAWS, np.array([-1, 2]), "data_sizes: expected 0 to 3 atoms, got -1 to 2"),
        (
            DRAWS,
            np.array([1.0]),
            r"data_sizes: expected integers of shape \[m\], got float64 \[1\]",
        ),
        (DRAWS, np.zeros(0, int), r"data_sizes: expected integers of shape \[m\], got int64 \[0\]"),
    ],
)
def test_bad_arguments(vectors, sizes, message):
    with pytest.raises(ValueError, match=message):
        molecule_report.report(vectors, VOCABULARY, data_sizes=sizes)
