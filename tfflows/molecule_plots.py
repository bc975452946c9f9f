"""Grids of drawn molecules, written as PNG files."""

from __future__ import annotations

import io
import math
import os
import pathlib
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from tfflows import files
from tfflows.data import molecule_validity, molecules

_CAPTION = 20  # pixels below a structure
_FONT = 13


def molecule_grid(
    drawn: Sequence,
    path: str | os.PathLike,
    columns: int | None = None,
    captions: Sequence[str] = (),
    size: int = 200,
) -> str:
    """Draws the structures of molecules; in place of one that is not valid stands the reason.

    Args:
      drawn: RDKit molecules, as `molecules.from_vectors` returns them; `[n]`.
      path: the PNG file. It is either complete or absent.
      columns: molecules in a row; by default about the number of rows.
      captions: a line of text for each molecule, `[n]`; by default none.
      size: width and height of a structure, in pixels.

    Returns:
      The path.

    Raises:
      ValueError: if there are no molecules or not as many captions, a number is below 1, or RDKit
        is not installed.
    """
    if not len(drawn):
        raise ValueError("drawn: expected one or more molecules, got none")
    captions = list(captions)
    if len(captions) not in (0, len(drawn)):
        raise ValueError(f"captions: expected 0 or {len(drawn)}, got {len(captions)}")
    for name, value in (("columns", columns), ("size", size)):
        if value is not None and value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")
    columns = min(len(drawn), columns or math.ceil(math.sqrt(len(drawn))))
    rows = -(-len(drawn) // columns)
    height = size + (_CAPTION if captions else 0)
    grid = Image.new("RGB", (columns * size, rows * height), "white")
    for i, molecule in enumerate(drawn):
        place = (i % columns * size, i // columns * height)
        valid, reason = molecule_validity.sanitised(molecule)
        if valid is None:
            _write(grid, f"not valid: {reason}", (*place, size, size))
        else:
            grid.paste(_structure(valid, size), place)
        if captions:
            _write(grid, captions[i], (place[0], place[1] + size, size, _CAPTION))
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, lambda temporary: grid.save(temporary, format="PNG"))
    return str(path)


def _structure(molecule, size: int) -> Image.Image:
    molecules.rdkit()  # raises
    from rdkit.Chem.Draw import rdMolDraw2D

    canvas = rdMolDraw2D.MolDraw2DCairo(size, size)
    # Molecules of one picture have one scale, unless a large one has to shrink to fit.
    canvas.drawOptions().fixedBondLength = 28
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
    canvas.FinishDrawing()
    return Image.open(io.BytesIO(canvas.GetDrawingText())).convert("RGB")


def _write(grid: Image.Image, text: str, box: tuple[int, int, int, int]) -> None:
    """Writes a line into the middle of a box (left, top, width, height), cut to its width."""
    left, top, width, height = box
    draw = ImageDraw.Draw(grid)
    font = ImageFont.load_default(_FONT)
    while text and draw.textlength(text, font) > width - 16:
        text = text.removesuffix("...")[:-1]
        text = text and text + "..."
    middle = (left + width / 2, top + height / 2)
    draw.text(middle, text, fill="black", font=font, anchor="mm")
