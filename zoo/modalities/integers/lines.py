"""Files of text."""

from __future__ import annotations

import dataclasses
import os
import pathlib

from tfflows import files
from tfflows.data import text
from zoo.modalities.vectors.rows import Rows


@dataclasses.dataclass(frozen=True, eq=False)
class Lines:
    """Draws of text: in a .txt file as characters, in other files as numbers.

    Attributes:
      rows: the draws as rows of numbers.
      alphabet: the character of each number.
    """

    rows: Rows
    alphabet: str
    note = ""

    @property
    def title(self) -> str:
        """A description in words."""
        return self.rows.title

    def write(self, path: str | os.PathLike) -> None:
        """Writes the draws, atomically; in a .txt file they follow one another, a line between."""
        if pathlib.Path(path).suffix.lower() != ".txt":
            self.rows.write(path)
            return
        draws = "\n".join(text.decode(row, self.alphabet) for row in self.rows.x)
        files.write(path, lambda temporary: temporary.write_text(draws + "\n", "utf-8"))
