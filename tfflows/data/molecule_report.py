"""Figures of drawn molecules: validity, uniqueness, novelty and sizes.

Papers mend invalid draws in different ways before they count, so all three counts are given: as
drawn, with the largest piece, and with corrected valences. Small molecules are valid more easily,
so the sizes are compared with those of the data.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection

import numpy as np

from tfflows.data import graphs, molecule_validity, molecules


@dataclasses.dataclass(frozen=True, eq=False)
class Quality:
    """Figures of draws that are mended in one way.

    Attributes:
      smiles: canonical SMILES of each draw, None if it is not valid; `[n]`.
      valid: share of the draws that are valid.
      unique: share of the valid draws that is left without repetitions; None if none is valid.
      novel: share of the different valid molecules that are not training data; None if none is
        valid or no training data were given.
      atoms: mean number of heavy atoms of the valid draws; None if none is valid.
    """

    smiles: list[str | None]
    valid: float
    unique: float | None
    novel: float | None
    atoms: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Figures of drawn molecules.

    Attributes:
      drawn: of the draws as they are, where a molecule of several pieces is not valid.
      piece: of the largest piece of each.
      corrected: of each after correction of the valences, `molecule_validity.corrected`.
      invalid: how many draws are not valid as they are, by reason.
      sizes: share of the draws, valid or not, with 0 to N heavy atoms; float64 `[N + 1]`.
      data_sizes: the same of the data, or None if their sizes were not given.
      size_distance: total-variation distance between the two, 0 to 1, or None.
    """

    drawn: Quality
    piece: Quality
    corrected: Quality
    invalid: dict[str, int]
    sizes: np.ndarray
    data_sizes: np.ndarray | None
    size_distance: float | None


def report(
    vectors: np.ndarray,
    vocabulary: molecules.Vocabulary,
    training: Collection[str] | None = None,
    data_sizes: np.ndarray | None = None,
) -> Report:
    """The figures of drawn molecules.

    Args:
      vectors: the draws, integers `[n, N + N (N - 1) / 2]`.
      vocabulary: the meaning of their categories.
      training: canonical SMILES of the training data, as `smiles_files.read` returns them.
      data_sizes: number of heavy atoms of molecules of the data, integers `[m]`.

    Returns:
      The report.

    Raises:
      ValueError: if there are no draws or they are not graphs of the vocabulary, the sizes are out
        of range, or RDKit is not installed.
    """
    vectors = np.asarray(vectors)
    if not len(vectors):
        raise ValueError(f"vectors: expected one or more, got shape {list(vectors.shape)}")
    decoded = molecules.from_vectors(vectors, vocabulary)
    invalid = collections.Counter()
    drawn, piece, corrected = [], [], []
    for molecule in decoded:
        smiles, reason = molecule_validity.canonical(molecule)
        drawn.append(smiles)
        if smiles is not None:
            piece.append(smiles)
            corrected.append(smiles)
            continue
        invalid[reason] += 1
        for found, mend in (
            (piece, molecule_validity.largest_piece),
            (corrected, molecule_validity.corrected),
        ):
            found.append(molecule_validity.canonical(mend(molecule))[0])
    nodes = graphs.most_nodes(vectors.shape[1])
    sizes = _shares(graphs.sizes(vectors), nodes)
    shares = None if data_sizes is None else _shares(data_sizes, nodes)
    known = None if training is None else frozenset(training)
    return Report(
        *(_quality(smiles, known) for smiles in (drawn, piece, corrected)),
        invalid=dict(invalid.most_common()),
        sizes=sizes,
        data_sizes=shares,
        size_distance=None if shares is None else float(np.abs(sizes - shares).sum() / 2),
    )


def _quality(smiles: list[str | None], known: frozenset[str] | None) -> Quality:
    valid = [text for text in smiles if text is not None]
    different = {*valid}
    if not valid:
        return Quality(smiles, 0.0, None, None, None)
    chem = molecules.rdkit()
    atoms = {text: chem.MolFromSmiles(text, sanitize=False).GetNumAtoms() for text in different}
    return Quality(
        smiles,
        valid=len(valid) / len(smiles),
        unique=len(different) / len(valid),
        novel=None if known is None else len(different - known) / len(different),
        atoms=sum(atoms[text] for text in valid) / len(valid),
    )


def _shares(sizes: np.ndarray, nodes: int) -> np.ndarray:
    sizes = np.asarray(sizes)
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or not len(sizes):
        raise ValueError(
            f"data_sizes: expected integers of shape [m], got {sizes.dtype} {list(sizes.shape)}"
        )
    if sizes.min() < 0 or sizes.max() > nodes:
        raise ValueError(
            f"data_sizes: expected 0 to {nodes} atoms, got {sizes.min()} to {sizes.max()}"
        )
    return np.bincount(sizes, minlength=nodes + 1) / len(sizes)
