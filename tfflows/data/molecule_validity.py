"""Which molecules are valid, and the two usual ways to mend those that are not.

Molecules are RDKit's, as `tfflows.data.molecules` makes them from vectors.
"""

from __future__ import annotations

from tfflows.data import molecules

VALENCE = "valence"  # why a molecule is invalid, besides molecules.NO_ATOMS and molecules.PIECES


def sanitised(molecule) -> tuple[object | None, str]:
    """A sanitised copy of a molecule, without correction.

    Returns:
      The RDKit molecule and "", or None and a reason: `molecules.NO_ATOMS`, `VALENCE` (an atom has
      more bonds than it can have) or, if the valences are right, `molecules.PIECES`.
    """
    chem = molecules.rdkit()
    if not molecule.GetNumAtoms():
        return None, molecules.NO_ATOMS
    molecule = chem.Mol(molecule)
    # The clean-up would turn a nitro group with five bonds at its nitrogen into one with charges.
    steps = chem.SANITIZE_ALL ^ chem.SANITIZE_CLEANUP
    with chem.rdBase.BlockLogs():
        try:
            chem.SanitizeMol(molecule, steps)
        except chem.MolSanitizeException:
            return None, VALENCE
    if len(chem.GetMolFrags(molecule)) > 1:
        return None, molecules.PIECES
    return molecule, ""


def canonical(molecule) -> tuple[str | None, str]:
    """The canonical SMILES of a molecule, without correction.

    It is the same for data and draws: with aromatic rings as RDKit finds them, and without
    stereochemistry.

    Returns:
      The SMILES and "", or None and the reason as in `sanitised`.
    """
    molecule, reason = sanitised(molecule)
    return (None if molecule is None else molecules.rdkit().MolToSmiles(molecule)), reason


def largest_piece(molecule):
    """The connected piece of a molecule with the most heavy atoms, the first of several."""
    pieces = molecules.rdkit().GetMolFrags(molecule, asMols=True, sanitizeFrags=False)
    return max(pieces, key=lambda piece: piece.GetNumAtoms(), default=molecule)


def corrected(molecule):
    """The largest piece of a molecule after its valences have been corrected.

    While an atom has more bonds than it can have, its highest bond is lowered by one; a single bond
    is removed. The first such atom comes first, and among equal bonds the first.

    Reference: Zang and Wang, "MoFlow: An Invertible Flow Model for Generating Molecular Graphs",
    https://arxiv.org/abs/2006.10137.

    Returns:
      An RDKit molecule that is not sanitised. It is valid unless an atom is impossible even without
      bonds.
    """
    chem = molecules.rdkit()
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
