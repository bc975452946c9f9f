"""Reads files of molecules written as SMILES."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import os
import pathlib
import zlib
from collections.abc import Iterator

import numpy as np

from tfflows.data import molecule_validity, molecules

FORMATS = (".smi", ".smi.gz", ".csv", ".csv.gz")
_COLUMN = "smiles"


@dataclasses.dataclass(frozen=True, eq=False)
class Molecules:
    """The molecules of a file.

    Attributes:
      vectors: int32 `[n, N + N (N - 1) / 2]`, as in `tfflows.data.graphs`.
      smiles: canonical SMILES of each, without stereochemistry.
      lines: the line of the file that each is from, int64 `[n]`, from 1.
      vocabulary: the meaning of the vectors' categories.
      found: number of SMILES in the file.
      left_out: how many of them have no vector, by reason; those that RDKit cannot read are not
        among them.
      unreadable: line and text of each SMILES that RDKit cannot read.
    """

    vectors: np.ndarray
    smiles: list[str]
    lines: np.ndarray
    vocabulary: molecules.Vocabulary
    found: int
    left_out: dict[str, int]
    unreadable: list[str]


def read(
    path: str | os.PathLike,
    vocabulary: molecules.Vocabulary | None = None,
    nodes: int | None = None,
    may_fail: float = 0.05,
) -> Molecules:
    """Reads the molecules of a file; see `tfflows.data.molecules` for their vectors.

    Args:
      path: a `.smi` file with a SMILES at the start of each line, or a `.csv` file with a column
        "smiles" (in any letter case); either may be compressed, `.smi.gz` and `.csv.gz`.
      vocabulary: a trained model's; by default it is inferred from the file.
      nodes: if it is inferred, leave out molecules with more heavy atoms than this.
      may_fail: the share of the SMILES that RDKit may fail to read, 0 to 1.

    Returns:
      The molecules that have a vector, in the order of the file.

    Raises:
      ValueError: if the file cannot be read, has no molecule that has a vector, or more than that
        share of its SMILES is unreadable; or if RDKit is not installed.
    """
    if not 0 <= may_fail <= 1:
        raise ValueError(f"may_fail: expected a share, 0 to 1, got {may_fail}")
    if vocabulary is not None and nodes is not None:
        raise ValueError(f"nodes: expected None with a vocabulary, got {nodes}")
    molecules.rdkit()  # raises, with no path in its message
    path = pathlib.Path(path)
    lines, smiles, unreadable = [], [], []

    def parsed() -> Iterator:
        for line, text in _lines(path):
            molecule = molecules.parse(text)
            if molecule is None:
                unreadable.append(f"line {line}: {text[:60]!r}")
                continue
            lines.append(line)
            smiles.append(molecule_validity.canonical(molecule)[0])
            yield molecule
        if unreadable and (
            not lines or len(unreadable) > may_fail * (len(lines) + len(unreadable))
        ):
            raise ValueError(
                f"expected SMILES, but RDKit cannot read {len(unreadable)} of "
                f"{len(lines) + len(unreadable)}: "
                + "; ".join(unreadable[:3])
                + "; ..." * (len(unreadable) > 3)
            )

    try:
        encoded = molecules.to_vectors(parsed(), vocabulary, nodes)
    except (OSError, EOFError, UnicodeError, zlib.error, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Molecules(
        vectors=encoded.vectors,
        smiles=[smiles[row] for row in encoded.kept.tolist()],
        lines=np.array(lines)[encoded.kept],
        vocabulary=encoded.vocabulary,
        found=len(lines) + len(unreadable),
        left_out=encoded.left_out,
        unreadable=unreadable,
    )


def _lines(path: pathlib.Path) -> Iterator[tuple[int, str]]:
    """The SMILES of a file, each with the number of its line."""
    name = path.name.lower()
    if not name.endswith(FORMATS):
        raise ValueError(f"expected a file named {', '.join(FORMATS)}")
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from (_cells if name.removesuffix(".gz").endswith(".csv") else _words)(file)


def _words(file: io.TextIOBase) -> Iterator[tuple[int, str]]:
    """The first word of each line that is not blank, without a heading."""
    first = True
    for line, text in enumerate(file, 1):
        words = text.split(maxsplit=1)
        if words and not (first and words[0].lower() == _COLUMN):
            yield line, words[0]
        first = first and not words


def _cells(file: io.TextIOBase) -> Iterator[tuple[int, str]]:
    """The cells of the column of SMILES."""
    rows = csv.reader(file)
    names = [name.strip() for name in next((row for row in rows if row), [])]
    found = [i for i, name in enumerate(names) if name.lower() == _COLUMN]
    if len(found) != 1:
        raise ValueError(f"expected one column {_COLUMN!r}, got columns {names}")
    for row in rows:
        if row:
            words = row[found[0]].split(maxsplit=1) if found[0] < len(row) else []
            yield rows.line_num, words[0] if words else ""
