"""Molecules to vectors and back: types, what is left out, validity and the two ways to mend."""

import dataclasses
import json
import sys

import numpy as np
import pytest

from tfflows.data import graphs, molecule_validity, molecules

pytest.importorskip("rdkit")

CNO = molecules.Vocabulary(
    (("C", 0), ("N", 0), ("N", 1), ("O", 0), ("O", -1), ("F", 0)), molecules.BONDS, 6
)
# A graph by letters: atoms, then (i, j, order) of bonds.
NUMBER = {"C": 1, "N": 2, "N+": 3, "O": 4, "O-": 5, "F": 6}


def vector(atoms, bonds=(), nodes=6):
    types, adjacency = np.zeros([1, nodes], int), np.zeros([1, nodes, nodes], int)
    types[0, : len(atoms)] = [NUMBER[atom] for atom in atoms]
    for i, j, order in bonds:
        adjacency[0, i, j] = adjacency[0, j, i] = order
    return graphs.pack(types, adjacency)


def molecule(atoms, bonds=()):
    (found,) = molecules.from_vectors(vector(atoms, bonds), CNO)
    return found


def smiles(found):
    return molecule_validity.canonical(found)[0]


def encoded(*texts, **arguments):
    return molecules.to_vectors(map(molecules.parse, texts), **arguments)


def test_vectors_by_hand():
    # Nitromethane has charges; its second bond to oxygen is single.
    found = encoded("C[N+](=O)[O-]", "O", vocabulary=CNO)
    expected = [
        vector(["C", "N+", "O", "O-"], [(0, 1, 1), (1, 2, 2), (1, 3, 1)]),
        vector(["O"]),
    ]
    np.testing.assert_array_equal(found.vectors, np.concatenate(expected))
    assert found.vectors.dtype == np.int32 and found.kept.tolist() == [0, 1]
    assert found.vocabulary is CNO and found.left_out == {}


@pytest.mark.parametrize("text", ["c1ccccc1", "C1=CC=CC=C1"])
def test_benzene_alternates(text):
    found = encoded(text)
    assert found.vocabulary == molecules.Vocabulary((("C", 0),), ("single", "double"), 6)
    _, adjacency = graphs.unpack(found.vectors)
    ring = adjacency[0][np.arange(6), (np.arange(6) + 1) % 6]
    assert ring.tolist() in ([1, 2] * 3, [2, 1] * 3)
    assert adjacency.sum() == 2 * ring.sum()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C1=CC=CC=N1", "c1ccncc1"),  # pyridine
        ("C1C=CC=N1", "C1=CCN=C1"),
        ("N1C=CC=C1", "c1cc[nH]c1"),  # pyrrole
        ("[NH3+]CC(=O)[O-]", "[NH3+]CC(=O)[O-]"),  # a zwitterion
        ("CN(=O)=O", "C[N+](=O)[O-]"),
        ("c1ccccc1[N+](=O)[O-]", "O=[N+]([O-])c1ccccc1"),
        ("[C-]#[O+]", "[C-]#[O+]"),
        ("[N-]=[N+]=NC", "CN=[N+]=[N-]"),
        ("[BH4-]", "[BH4-]"),
        ("OS(=O)(=O)O", "O=S(=O)(O)O"),
        ("FP(F)(F)(F)F", "FP(F)(F)(F)F"),
        ("C[C@H](F)Cl", "CC(F)Cl"),
        ("F/C=C/F", "FC=CF"),
        ("[CH3:7]O", "CO"),
        ("[H]OC[H]", "CO"),
        ("C[NH2+]C", "C[NH2+]C"),
    ],
)
def test_round_trip(text, expected):
    found = encoded(text)
    (back,) = molecules.from_vectors(found.vectors, found.vocabulary)
    assert smiles(back) == smiles(molecules.parse(text)) == smiles(molecules.parse(expected))
    assert smiles(molecules.parse(smiles(back))) == smiles(back)
    assert "@" not in smiles(back) and "/" not in smiles(back) and ":" not in smiles(back)


def test_the_order_of_atoms_does_not_matter():
    found = encoded("OC(=O)c1cccnc1", "CC(C)[N+](=O)[O-]", "N#CC1CO1")
    for seed in range(20):
        orders = graphs.random_orders(found.vectors, seed)
        moved = graphs.permuted(found.vectors, orders)
        names = [smiles(m) for m in molecules.from_vectors(moved, found.vocabulary)]
        assert names == ["O=C(O)c1cccnc1", "CC(C)[N+](=O)[O-]", "N#CC1CO1"]


def test_types_have_a_fixed_order():
    texts = ("ClCBr", "[O-][N+](=O)C#N", "C[O-]", "C[NH-]", "CS")
    expected = (
        *(("C", 0), ("N", 0), ("N", -1), ("N", 1), ("O", 0), ("O", -1)),
        *(("S", 0), ("Cl", 0), ("Br", 0)),
    )
    for order in (texts, texts[::-1]):
        vocabulary = encoded(*order).vocabulary
        assert vocabulary == molecules.Vocabulary(expected, ("single", "double", "triple"), 5)
    assert encoded("CC", "N#N").vocabulary.bonds == ("single", "triple")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", molecules.NO_ATOMS),
        ("[13CH4]", molecules.ISOTOPE),
        ("[2H]C", molecules.ISOTOPE),
        ("[CH3]", molecules.RADICAL),
        ("C[N]O", molecules.RADICAL),
        ("[Na+].[Cl-]", molecules.PIECES),
        ("C.C", molecules.PIECES),
        ("[H][H]", molecules.HYDROGEN),
        ("*C", molecules.WILDCARD),
        ("c1cc*cc1", molecules.WILDCARD),
        ("C[PH4]", molecules.HYDROGENS),
        ("CCCCCCC", molecules.TOO_LARGE),
        ("CS", molecules.ATOM_TYPE),
        ("C[NH-]", molecules.ATOM_TYPE),
        ("C$C", molecules.BOND_TYPE),
    ],
)
def test_what_is_left_out(text, reason):
    found = encoded("CO", text, "CN", vocabulary=CNO)
    assert found.left_out == {reason: 1}
    assert found.kept.tolist() == [0, 2]
    with pytest.raises(
        ValueError, match=rf"expected some that have a vector, got none \(2 {reason}"
    ):
        encoded(text, text, vocabulary=CNO)


def test_a_vocabulary_may_lack_bonds_and_a_limit_shapes_it():
    single = dataclasses.replace(CNO, bonds=("double", "single"))
    found = encoded("C#C", "C=C", "CC", vocabulary=single)
    assert found.left_out == {molecules.BOND_TYPE: 1} and found.kept.tolist() == [1, 2]
    assert found.vectors[:, 6].tolist() == [1, 2]
    names = [smiles(m) for m in molecules.from_vectors(found.vectors, single)]
    assert names == ["C=C", "CC"]
    found = encoded("CCO", "CCCl", "CCCBr", nodes=3)
    assert found.left_out == {molecules.TOO_LARGE: 1}
    assert found.vocabulary.nodes == 3 and ("Br", 0) not in found.vocabulary.atoms
    with pytest.raises(ValueError, match="nodes: expected None with a vocabulary, got 3"):
        encoded("C", vocabulary=CNO, nodes=3)


def test_a_vocabulary_is_plain_values():
    stored = json.loads(json.dumps(dataclasses.asdict(CNO)))
    assert molecules.Vocabulary(**stored) == CNO
    with pytest.raises(ValueError, match="atoms: expected different"):
        molecules.Vocabulary((("C", 0), ("C", 0)), ("single",), 3)
    with pytest.raises(ValueError, match="atoms: expected different"):
        molecules.Vocabulary((), ("single",), 3)
    for no_pairs in ("C", ("C",), (("C", 0, 0),), (("C", "x"),), 3):
        with pytest.raises(ValueError, match="atoms: expected different .* pairs, got"):
            molecules.Vocabulary(no_pairs, ("single",), 3)
    with pytest.raises(ValueError, match="bonds: expected different ones of"):
        molecules.Vocabulary((("C", 0),), ("single", "aromatic"), 3)
    with pytest.raises(ValueError, match="nodes: expected 1 or more, got 0"):
        molecules.Vocabulary((("C", 0),), ("single",), 0)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (molecule("CO", [(0, 1, 3)]), "valence"),
        (molecule("CFF", [(0, 1, 1), (1, 2, 1)]), "valence"),
        (molecule(["C", "N", "O", "O"], [(0, 1, 1), (1, 2, 2), (1, 3, 2)]), "valence"),  # nitro
        (molecule(["O-", "C"], [(0, 1, 2)]), "valence"),
        (molecule("CC"), "several pieces"),
        (molecule("COO", [(0, 1, 3)]), "valence"),
        (molecule(""), "no atoms"),
    ],
)
def test_nothing_is_corrected_unasked(found, reason):
    assert molecule_validity.canonical(found) == (None, reason)
    assert molecule_validity.sanitised(found) == (None, reason)


def test_largest_piece():
    piece = molecule_validity.largest_piece
    assert smiles(piece(molecule("CCOCO", [(0, 1, 1), (2, 3, 1), (3, 4, 1)]))) == "OCO"
    assert smiles(piece(molecule("CCNO", [(0, 1, 1), (2, 3, 1)]))) == "CC"  # the first of equals
    assert smiles(piece(molecule("CCO", [(0, 1, 2), (1, 2, 1)]))) == "C=CO"
    # A piece keeps its faults, and those of others do not matter.
    assert molecule_validity.canonical(piece(molecule("COC", [(0, 1, 3)]))) == (None, "valence")
    assert smiles(piece(molecule("CCNOF", [(0, 1, 1), (1, 2, 1), (3, 4, 2)]))) == "CCN"
    assert piece(molecule("")).GetNumAtoms() == 0


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (molecule("CO", [(0, 1, 3)]), "C=O"),  # a triple bond becomes double
        (molecule("CF", [(0, 1, 3)]), "CF"),  # and then single
        # Fluorine between two carbons loses one, and the larger piece stays.
        (molecule("CFCC", [(0, 1, 1), (1, 2, 1), (2, 3, 1)]), "CCF"),
        # The highest bond of nitrogen is lowered, not the first.
        (molecule("CNO", [(0, 1, 1), (1, 2, 3)]), "CN=O"),
        # Carbon is the first over-valent atom; its double bond to the other carbon goes first.
        (molecule("CCCOO", [(0, 1, 2), (0, 2, 2), (0, 3, 1)]), "C=C(C)O"),
        (molecule(["C", "N", "O", "O"], [(0, 1, 1), (1, 2, 2), (1, 3, 2)]), "CN(O)O"),
        (molecule(["C", "N+", "O", "O-"], [(0, 1, 1), (1, 2, 2), (1, 3, 1)]), "C[N+](=O)[O-]"),
    ],
)
def test_correction(found, expected):
    before = found.GetNumAtoms(), found.GetNumBonds()
    assert smiles(molecule_validity.corrected(found)) == smiles(molecules.parse(expected))
    assert (found.GetNumAtoms(), found.GetNumBonds()) == before


def test_correction_of_random_graphs_is_valid():
    rng = np.random.default_rng(0)
    n = 300
    types = rng.integers(1, 6, [n, 6])
    edges = rng.integers(1, 4, [n, 15]) * (rng.random([n, 15]) < rng.uniform(0.1, 0.6, [n, 1]))
    edges[:100] = np.minimum(edges[:100], 1)
    found = molecules.from_vectors(np.concatenate([types, edges], 1), CNO)
    valid = [smiles(m) is not None for m in found]
    assert 0 < sum(valid) < 150
    mended = [smiles(molecule_validity.corrected(m)) for m in found]
    assert all(mended)
    assert [smiles(m) for m, fine in zip(found, valid, strict=True) if fine] == [
        m for m, fine in zip(mended, valid, strict=True) if fine
    ]


def test_unreadable_text_is_none_and_silent(capfd):
    for text in ("C(", "c1ccc1c", "CC(C)(C)(C)C", "smiles", "[Xx]"):
        assert molecules.parse(text) is None
    molecule_validity.canonical(molecule("CO", [(0, 1, 3)]))
    molecule_validity.corrected(molecule("CO", [(0, 1, 3)]))
    assert capfd.readouterr() == ("", "")


def test_bad_vectors(capfd):
    with pytest.raises(ValueError, match="categories 0 to 6 of a node, got 7 at 0 in row 0"):
        molecules.from_vectors(np.array([[7] + [0] * 20]), CNO)
    strange = molecules.Vocabulary((("Xx", 0),), (), 1)
    with pytest.raises(ValueError, match="vocabulary: expected elements, got 'Xx'"):
        molecules.from_vectors(np.array([[1]]), strange)
    assert capfd.readouterr() == ("", "")


def test_without_rdkit(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(ValueError, match=r"pip install 'tfflows\[molecules\]'"):
        molecules.parse("C")
    with pytest.raises(ValueError, match=r"pip install 'tfflows\[molecules\]'"):
        molecules.from_vectors(vector("C"), CNO)
