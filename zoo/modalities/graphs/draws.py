"""Molecules drawn from a model: figures, and files."""

from __future__ import annotations

import dataclasses
import os
import pathlib

import numpy as np

from tfflows import batches, files, molecule_plots
from tfflows.data import graphs, molecule_report, molecule_validity
from tfflows.data.molecules import Vocabulary, from_vectors

_MOST_PICTURED = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Draws:
    """Molecules drawn from a model.

    Attributes:
      x: rows of graphs `[n, ...]`.
      vocabulary: the meaning of their categories.
      name: name of the model.
      seed: seed of the draws.
    """

    x: np.ndarray
    vocabulary: Vocabulary
    name: str
    seed: int

    @property
    def title(self) -> str:
        """A description in words."""
        return f"{len(self.x)} draws of {self.name} (seed {self.seed})"

    @property
    def note(self) -> str:
        """How many are valid."""
        valid = sum(text is not None for text in self._smiles())
        return f"{valid} of {len(self.x)} are valid molecules; a .smi file holds these"

    def _smiles(self):
        drawn = from_vectors(self.x, self.vocabulary) if len(self.x) else []
        return [molecule_validity.canonical(molecule)[0] for molecule in drawn]

    def write(self, path: str | os.PathLike) -> None:
        """Writes a file: .smi (a valid molecule a line), .png (structures) or .npy (rows)."""
        kind = pathlib.Path(path).suffix.lower()
        if kind == ".npy":
            files.write(path, lambda temporary: np.save(temporary, self.x))
        elif kind == ".smi":
            text = "".join(f"{smiles}\n" for smiles in self._smiles() if smiles is not None)
            files.write(path, lambda temporary: temporary.write_text(text, "utf-8"))
        else:
            drawn = from_vectors(self.x[:_MOST_PICTURED], self.vocabulary)
            molecule_plots.molecule_grid(drawn, path)


def draw(model, n: int, seed: int, start: int, facts: dict, temperature: float = 1.0) -> Draws:
    """Draws molecules of a model, whose card has these facts about its data.

    Raises:
      ValueError: if the facts do not say what the categories are.
    """
    if "vocabulary" not in facts:
        raise ValueError(
            f"model: {model.name} does not say which atoms and bonds its numbers stand for; give "
            "the folder of a run"
        )
    x = batches.sample(model, n, seed, start, temperature)
    return Draws(np.asarray(x), Vocabulary(**facts["vocabulary"]), model.name, seed)


def figures(model, n: int, data) -> dict:
    """Validity, uniqueness, novelty and sizes of `n` draws; see `tfflows.data.molecule_report`."""
    vocabulary = Vocabulary(**data.facts["vocabulary"])
    known = (molecule_validity.canonical(m)[0] for m in from_vectors(data.train, vocabulary))
    found = molecule_report.report(
        np.asarray(batches.sample(model, n, 0)), vocabulary, known, graphs.sizes(data.train)
    )
    kinds = {"drawn": found.drawn, "largest_piece": found.piece, "corrected": found.corrected}
    shares = {
        figure: {name: getattr(quality, figure) for name, quality in kinds.items()}
        for figure in ("valid", "unique", "novel")
    }
    return {"draws": n, **shares, "invalid": found.invalid, "size_distance": found.size_distance}
