"""Molecules as graphs of heavy atoms, to and from the vectors of `tfflows.data.graphs`.

A node's type is an element with a formal charge, an edge's type is a single, double or triple bond.
Hydrogen atoms are left to the rules of valence, aromatic rings are written as single and double
bonds (kekulised), and stereochemistry is dropped.

It needs the package RDKit (`pip install 'tfflows[molecules]'`).
"""

from __future__ import annotations

import array
import collections
import dataclasses
from collections.abc import Iterable

import numpy as np

from tfflows.data import graphs

BONDS = ("single", "double", "triple")

# Why a molecule of a file has no vector.
NO_ATOMS = "no atoms"
ISOTOPE = "isotope"
RADICAL = "radical"
PIECES = "several pieces"
HYDROGEN = "hydrogen atom that is not implicit"
HYDROGENS = "unusual number of hydrogen atoms"
WILDCARD = "atom without an element"
TOO_LARGE = "too many atoms"
ATOM_TYPE = "type of atom not in the vocabulary"
BOND_TYPE = "type of bond not in the vocabulary"


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The meaning of the categories of molecules' vectors.

    `dataclasses.asdict` gives its plain values, and `Vocabulary(**values)` takes them.

    Attributes:
      atoms: element and formal charge of the nodes' types 1 to A, such as `("N", 1)`.
      bonds: the edges' types 1 to B, some of "single", "double" and "triple".
      nodes: the largest number of heavy atoms.
    """

    atoms: tuple[tuple[str, int], ...]
    bonds: tuple[str, ...]
    nodes: int

    def __post_init__(self):
        try:
            atoms = tuple((str(element), int(charge)) for element, charge in self.atoms)
        except (TypeError, ValueError):
            atoms = ()
        if not atoms or len({*atoms}) < len(atoms):
            raise ValueError(
                f"atoms: expected different (element, charge) pairs, got {self.atoms!r}"
            )
        bonds = tuple(self.bonds)
        if len({*bonds}) < len(bonds) or not {*bonds} <= {*BONDS}:
            raise ValueError(f"bonds: expected different ones of {BONDS}, got {bonds}")
        graphs.length(self.nodes)  # raises
        object.__setattr__(self, "atoms", atoms)
        object.__setattr__(self, "bonds", bonds)


@dataclasses.dataclass(frozen=True, eq=False)
class Encoded:
    """Molecules as vectors.

    Attributes:
      vectors: int32 `[n, N + N (N - 1) / 2]`.
      vocabulary: the meaning of their categories.
      kept: number of the molecule that each row is, int64 `[n]`.
      left_out: how many molecules have no vector, by reason.
    """

    vectors: np.ndarray
    vocabulary: Vocabulary
    kept: np.ndarray
    left_out: dict[str, int]


def parse(text: str):
    """The molecule of a SMILES, kekulised and without stereochemistry and atom numbers.

    Returns:
      An RDKit molecule, or None if RDKit cannot read it.

    Raises:
      ValueError: if RDKit is not installed.
    """
    chem = rdkit()
    with chem.rdBase.BlockLogs():
        molecule = chem.MolFromSmiles(text)
        if molecule is None:
            return None
        chem.RemoveStereochemistry(molecule)
        if ":" in text:  # else no atom has a number
            for atom in molecule.GetAtoms():
                atom.SetAtomMapNum(0)
        chem.Kekulize(molecule, clearAromaticFlags=True)
    return molecule


def obstacle(molecule) -> str:
    """Why no vector can stand for a molecule from `parse`; "" if one can."""
    chem = rdkit()
    if not molecule.GetNumAtoms():
        return NO_ATOMS
    isotope = radical = stated = False
    least = 2
    for i in range(molecule.GetNumAtoms()):
        atom = molecule.GetAtomWithIdx(i)
        isotope |= atom.GetIsotope() != 0
        radical |= atom.GetNumRadicalElectrons() != 0
        stated |= atom.GetNoImplicit()
        least = min(least, atom.GetAtomicNum())
    if isotope:
        return ISOTOPE
    if radical:
        return RADICAL
    if len(chem.GetMolFrags(molecule)) > 1:
        return PIECES
    if least < 2:
        return HYDROGEN if least else WILDCARD
    if stated and _hydrogens(_all_implicit(molecule)) != _hydrogens(molecule):
        return HYDROGENS
    return ""


def to_vectors(
    molecules: Iterable, vocabulary: Vocabulary | None = None, nodes: int | None = None
) -> Encoded:
    """The vectors of molecules, in the order of their atoms.

    Args:
      molecules: RDKit molecules from `parse`.
      vocabulary: a trained model's. By default it is inferred: atoms in the order of atomic number,
        neutral before charged; the bonds that occur; the largest number of atoms.
      nodes: if the vocabulary is inferred, leave out molecules with more atoms than this.

    Returns:
      The vectors of the molecules that have one.

    Raises:
      ValueError: if no molecule is left, or both a vocabulary and `nodes` are given.
    """
    if vocabulary is not None and nodes is not None:
        raise ValueError(f"nodes: expected None with a vocabulary, got {nodes}")
    limit = nodes if vocabulary is None else vocabulary.nodes
    known_atoms = None if vocabulary is None else {*vocabulary.atoms}
    known_bonds = {*(BONDS if vocabulary is None else vocabulary.bonds)}
    columns = _Columns()
    kept, left_out = [], collections.Counter()
    for number, molecule in enumerate(molecules):
        reason = obstacle(molecule)
        atoms, (begins, ends, bonds) = _atoms(molecule), _bonds(molecule)
        if not reason and limit is not None and len(atoms) > limit:
            reason = TOO_LARGE
        if not reason and known_atoms is not None and not known_atoms.issuperset(atoms):
            reason = ATOM_TYPE
        if not reason and not known_bonds.issuperset(bonds):
            reason = BOND_TYPE
        if reason:
            left_out[reason] += 1
        else:
            columns.add(atoms, begins, ends, bonds)
            kept.append(number)
    if not kept:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
        raise ValueError(
            f"molecules: expected some that have a vector, got none ({reasons or 'none at all'})"
        )
    vocabulary = vocabulary or columns.vocabulary()
    return Encoded(
        columns.vectors(vocabulary), vocabulary, np.array(kept), dict(left_out.most_common())
    )


def from_vectors(vectors: np.ndarray, vocabulary: Vocabulary) -> list:
    """The molecules of vectors, just as the vectors have them: nothing is checked or corrected.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.
      vocabulary: the meaning of their categories.

    Returns:
      RDKit molecules that are not sanitised. `molecule_validity.canonical` tells which are valid.

    Raises:
      ValueError: if the vectors are not graphs of the vocabulary, or an element is unknown.
    """
    chem = rdkit()
    vectors = np.asarray(vectors)
    graphs.check(vectors, len(vocabulary.atoms), len(vocabulary.bonds))
    nodes = graphs.most_nodes(vectors.shape[1])
    templates, orders = [], [chem.BondType.names[name.upper()] for name in vocabulary.bonds]
    for element, charge in vocabulary.atoms:
        try:
            with chem.rdBase.BlockLogs():
                atom = chem.Atom(element)
        except RuntimeError:
            raise ValueError(f"vocabulary: expected elements, got {element!r}") from None
        atom.SetFormalCharge(charge)
        templates.append(atom)
    i, j = (side.tolist() for side in graphs.pairs(nodes))
    molecules = []
    for vector in vectors:
        molecule = chem.RWMol()
        for kind in vector[:nodes].tolist():
            if kind:
                molecule.AddAtom(templates[kind - 1])
        edges = vector[nodes:]
        for pair in np.flatnonzero(edges).tolist():
            molecule.AddBond(i[pair], j[pair], orders[edges[pair] - 1])
        molecules.append(molecule)
    return molecules


def rdkit():
    """RDKit's module `Chem`.

    Raises:
      ValueError: if RDKit is not installed.
    """
    try:
        from rdkit import Chem
    except ImportError:
        raise ValueError(
            "molecules need the package rdkit; pip install 'tfflows[molecules]' installs it"
        ) from None
    return Chem


def _atoms(molecule) -> list[tuple[str, int]]:
    """Element and charge of each atom."""
    # RDKit's own iterators of atoms and bonds take twice as long.
    atoms = map(molecule.GetAtomWithIdx, range(molecule.GetNumAtoms()))
    return [(atom.GetSymbol(), atom.GetFormalCharge()) for atom in atoms]


def _bonds(molecule) -> tuple[list[int], list[int], list[str]]:
    """Both ends and the type of each bond."""
    begins, ends, kinds = [], [], []
    for bond in map(molecule.GetBondWithIdx, range(molecule.GetNumBonds())):
        begins.append(bond.GetBeginAtomIdx())
        ends.append(bond.GetEndAtomIdx())
        kinds.append(bond.GetBondType().name.lower())
    return begins, ends, kinds


def _all_implicit(molecule):
    """A copy in which the rules of valence give the number of hydrogen atoms."""
    molecule = rdkit().Mol(molecule)
    for i in range(molecule.GetNumAtoms()):
        atom = molecule.GetAtomWithIdx(i)
        if atom.GetNoImplicit():
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
    molecule.UpdatePropertyCache(strict=False)
    return molecule


def _hydrogens(molecule) -> list[int]:
    atoms = map(molecule.GetAtomWithIdx, range(molecule.GetNumAtoms()))
    return [atom.GetTotalNumHs() for atom in atoms]


class _Columns:
    """Atoms and bonds of many molecules in little memory, before their vocabulary is known."""

    def __init__(self):
        self._molecules = 0
        # Row, place and type of each atom; row, both ends and type of each bond.
        self._atoms = tuple(array.array("i") for _ in range(3))
        self._bonds = tuple(array.array("i") for _ in range(4))
        self._types = {}  # numbered as they are found

    def add(self, atoms: list, begins: list[int], ends: list[int], bonds: list[str]) -> None:
        """Adds a molecule."""
        row = self._molecules
        numbers = [self._types.setdefault(kind, len(self._types)) for kind in atoms]
        for column, values in zip(
            self._atoms, ([row] * len(atoms), range(len(atoms)), numbers), strict=True
        ):
            column.extend(values)
        numbers = [BONDS.index(kind) for kind in bonds]
        for column, values in zip(
            self._bonds, ([row] * len(bonds), begins, ends, numbers), strict=True
        ):
            column.extend(values)
        self._molecules += 1

    def vocabulary(self) -> Vocabulary:
        """That of these molecules."""
        number = rdkit().GetPeriodicTable().GetAtomicNumber
        atoms = sorted(self._types, key=lambda kind: (number(kind[0]), kind[1] != 0, kind[1]))
        found = {*self._bonds[-1]}
        bonds = [bond for i, bond in enumerate(BONDS) if i in found]
        return Vocabulary(tuple(atoms), tuple(bonds), 1 + max(self._atoms[1]))

    def vectors(self, vocabulary: Vocabulary) -> np.ndarray:
        """The vectors, int32 `[n, N + N (N - 1) / 2]`."""
        nodes = vocabulary.nodes
        vectors = np.zeros([self._molecules, graphs.length(nodes)], np.int32)
        row, place, kind = (np.array(column) for column in self._atoms)
        category = np.array([vocabulary.atoms.index(kind) + 1 for kind in self._types])
        vectors[row, place] = category[kind]
        row, i, j, kind = (np.array(column) for column in self._bonds)
        pair = np.zeros([nodes, nodes], np.int64)
        pair[graphs.pairs(nodes)] = np.arange(nodes, vectors.shape[1])
        names = [*vocabulary.bonds]
        category = np.array([names.index(bond) + 1 if bond in names else 0 for bond in BONDS])
        vectors[row, pair[np.minimum(i, j), np.maximum(i, j)]] = category[kind]
        return vectors
