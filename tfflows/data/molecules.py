"""Molecules as graphs of heavy atoms, to and from the vectors of `tfflows.data.graphs`.

A node's type is an element with a formal charge, an edge's type is a single, double or triple bond.
Hydrogen atoms are left to the rules of valence, aromatic rings are written as single and double
bonds (kekulised), and stereochemistry is dropped.

It needs the package RDKit (`pip install 'tfflows[molecules]'`).
"""

from __future__ import annotations

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
# Why a vector is not a valid molecule, besides NO_ATOMS and PIECES.
VALENCE = "valence"


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
        atoms = tuple((str(element), int(charge)) for element, charge in self.atoms)
        if not atoms or len({*atoms}) < len(atoms):
            raise ValueError(f"atoms: expected different (element, charge) pairs, got {atoms}")
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
        for atom in molecule.GetAtoms():
            atom.SetAtomMapNum(0)
        chem.Kekulize(molecule, clearAromaticFlags=True)
    return molecule


def obstacle(molecule) -> str:
    """Why no vector can stand for a molecule from `parse`; "" if one can."""
    chem = rdkit()
    atoms = list(molecule.GetAtoms())
    if not atoms:
        return NO_ATOMS
    if any(atom.GetIsotope() for atom in atoms):
        return ISOTOPE
    if any(atom.GetNumRadicalElectrons() for atom in atoms):
        return RADICAL
    if len(chem.GetMolFrags(molecule)) > 1:
        return PIECES
    if any(atom.GetAtomicNum() <= 1 for atom in atoms):
        hydrogen = any(atom.GetAtomicNum() == 1 for atom in atoms)
        return HYDROGEN if hydrogen else WILDCARD
    if any(atom.GetNoImplicit() for atom in atoms):
        # The file states the hydrogen atoms: are they those that the rules of valence give?
        implicit = chem.Mol(molecule)
        for atom in implicit.GetAtoms():
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
        implicit.UpdatePropertyCache(strict=False)
        numbers = (atom.GetTotalNumHs() for atom in implicit.GetAtoms())
        if any(a.GetTotalNumHs() != b for a, b in zip(atoms, numbers, strict=True)):
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
    chem = rdkit()
    bond_names = {chem.BondType.names[name.upper()]: name for name in BONDS}
    known_atoms = None if vocabulary is None else {*vocabulary.atoms}
    known_bonds = {*(BONDS if vocabulary is None else vocabulary.bonds)}
    kept, atoms, bonds, left_out = [], [], [], collections.Counter()
    for number, molecule in enumerate(molecules):
        reason = obstacle(molecule)
        types = [(atom.GetSymbol(), atom.GetFormalCharge()) for atom in molecule.GetAtoms()]
        edges = [
            (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), bond_names.get(bond.GetBondType()))
            for bond in molecule.GetBonds()
        ]
        if not reason and limit is not None and len(types) > limit:
            reason = TOO_LARGE
        if not reason and known_atoms is not None and not known_atoms.issuperset(types):
            reason = ATOM_TYPE
        if not reason and not known_bonds.issuperset(bond for _, _, bond in edges):
            reason = BOND_TYPE
        if reason:
            left_out[reason] += 1
            continue
        atoms.extend((len(kept), place, kind) for place, kind in enumerate(types))
        bonds.extend((len(kept), min(i, j), max(i, j), kind) for i, j, kind in edges)
        kept.append(number)
    if not kept:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
        raise ValueError(f"molecules: expected some that have a vector, got none ({reasons})")
    if vocabulary is None:
        vocabulary = _infer(atoms, bonds)
    vectors = _assemble(len(kept), atoms, bonds, vocabulary)
    return Encoded(vectors, vocabulary, np.array(kept), dict(left_out.most_common()))


def from_vectors(vectors: np.ndarray, vocabulary: Vocabulary) -> list:
    """The molecules of vectors, just as the vectors have them: nothing is checked or corrected.

    Args:
      vectors: integers `[n, N + N (N - 1) / 2]`.
      vocabulary: the meaning of their categories.

    Returns:
      RDKit molecules that are not sanitised; `canonical` tells which are valid.

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


def sanitised(molecule) -> tuple[object | None, str]:
    """A sanitised copy of a molecule, without correction.

    Returns:
      The RDKit molecule and "", or None and a reason: `NO_ATOMS`, `VALENCE` (an atom has more bonds
      than it can have) or, if the valences are right, `PIECES`.
    """
    chem = rdkit()
    if not molecule.GetNumAtoms():
        return None, NO_ATOMS
    molecule = chem.Mol(molecule)
    # The clean-up would turn a nitro group with five bonds at its nitrogen into one with charges.
    steps = chem.SANITIZE_ALL ^ chem.SANITIZE_CLEANUP
    with chem.rdBase.BlockLogs():
        try:
            chem.SanitizeMol(molecule, steps)
        except chem.MolSanitizeException:
            return None, VALENCE
    if len(chem.GetMolFrags(molecule)) > 1:
        return None, PIECES
    return molecule, ""


def canonical(molecule) -> tuple[str | None, str]:
    """The canonical SMILES of a molecule, without correction.

    It is the same for data and draws: with aromatic rings as RDKit finds them, and without
    stereochemistry.

    Returns:
      The SMILES and "", or None and the reason as in `sanitised`.
    """
    molecule, reason = sanitised(molecule)
    return (None if molecule is None else rdkit().MolToSmiles(molecule)), reason


def largest_piece(molecule):
    """The connected piece of a molecule with the most heavy atoms, the first of several."""
    pieces = rdkit().GetMolFrags(molecule, asMols=True, sanitizeFrags=False)
    return max(pieces, key=lambda piece: piece.GetNumAtoms(), default=molecule)


def corrected(molecule):
    """The largest piece of a molecule after its valences have been corrected.

    While an atom has more bonds than it can have, its highest bond is lowered by one, and a single
    bond is removed. The first such atom comes first, and of equal bonds the first.

    Reference: Zang and Wang, "MoFlow", https://arxiv.org/abs/2006.10137, section 4.4.

    Returns:
      An RDKit molecule that is not sanitised. It is valid unless an atom is impossible even without
      bonds.
    """
    chem = rdkit()
    molecule = chem.RWMol(molecule)
    lower = {chem.BondType.TRIPLE: chem.BondType.DOUBLE, chem.BondType.DOUBLE: chem.BondType.SINGLE}
    with chem.rdBase.BlockLogs():
        while True:
            problems = chem.DetectChemistryProblems(molecule, chem.SANITIZE_PROPERTIES)
            atoms = [molecule.GetAtomWithIdx(problem.GetAtomIdx()) for problem in problems]
            bonds = next((found for atom in atoms if (found := atom.GetBonds())), ())
            if not bonds:
                return largest_piece(molecule)
            highest = max(bonds, key=lambda bond: bond.GetBondTypeAsDouble())
            if highest.GetBondType() in lower:
                highest.SetBondType(lower[highest.GetBondType()])
            else:
                molecule.RemoveBond(highest.GetBeginAtomIdx(), highest.GetEndAtomIdx())


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


def _infer(atoms: list, bonds: list) -> Vocabulary:
    number = rdkit().GetPeriodicTable().GetAtomicNumber
    kinds = sorted(
        {kind for _, _, kind in atoms}, key=lambda kind: (number(kind[0]), kind[1] != 0, kind[1])
    )
    found = {kind for *_, kind in bonds}
    nodes = 1 + max(place for _, place, _ in atoms)
    return Vocabulary(tuple(kinds), tuple(bond for bond in BONDS if bond in found), nodes)


def _assemble(n: int, atoms: list, bonds: list, vocabulary: Vocabulary) -> np.ndarray:
    """Vectors from (row, place, type) of atoms and (row, i, j, type) of bonds."""
    nodes = vocabulary.nodes
    vectors = np.zeros([n, graphs.length(nodes)], np.int32)
    number = {kind: i for i, kind in enumerate(vocabulary.atoms, 1)}
    rows, places, kinds = zip(*atoms, strict=True)
    vectors[rows, places] = [number[kind] for kind in kinds]
    if bonds:
        number = {kind: i for i, kind in enumerate(vocabulary.bonds, 1)}
        rows, i, j, kinds = (list(values) for values in zip(*bonds, strict=True))
        pair = np.zeros([nodes, nodes], np.int64)
        pair[graphs.pairs(nodes)] = np.arange(nodes, vectors.shape[1])
        vectors[rows, pair[i, j]] = [number[kind] for kind in kinds]
    return vectors
