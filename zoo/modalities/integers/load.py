"""Rows of integers, from a user's table or text, or a toy on a grid."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
from ml_collections import ConfigDict

from tfflows.data import integer_toy, sets
from tfflows.data import text as characters
from zoo.modalities.data import Data, need
from zoo.modalities.vectors import tables, toys


def toy(config: ConfigDict) -> Data:
    """Rows of a toy on a grid, or of sets, drawn afresh for each part."""
    name, levels = need(config, "name"), config.model.args.levels
    if name in sets.names():
        density = sets.get(name)
        if levels < density.levels:
            raise ValueError(
                f"model.args.levels: expected {density.levels} or more for {name}, got {levels}"
            )
    else:
        density = integer_toy.get(name, levels)
    data, least = toys.drawn(config, density), [int(value) for value in density.bounds[0]]
    return dataclasses.replace(data, facts=data.facts | {"least": least, "levels": levels})


def table(config: ConfigDict, trained: dict) -> Data:
    """A table of whole numbers; a trained model's columns are found by their names on its card.

    Raises:
      ValueError: if a column has numbers that are not whole, or spans more integers than the model
        has.
    """
    data = tables.load_file(config, trained, keep_copies=True)
    names, parts = data.facts["columns"], (data.train, data.validation, data.test())
    for part in parts:
        whole = (part == np.rint(part)).all(0)
        if not whole.all():
            raise ValueError(
                f"data: expected columns of whole numbers, got {names[int(np.argmin(whole))]!r} "
                "with others (nsf_table is a config for any numbers)"
            )
    least = trained.get("least")
    if least is None:
        # Of all rows, as the range of a column is a fact of the file, not something learned.
        least, most = (f([f(part, axis=0) for part in parts], axis=0) for f in (np.min, np.max))
        if not config.model.args.get("ordered", True):  # a set has one range for all places
            least, most = np.full_like(least, least.min()), np.full_like(most, most.max())
        spans, levels = most - least + 1, config.model.args.levels
        if spans.max() > levels:
            place = int(np.argmax(spans))
            power = 2 ** int(spans[place] - 1).bit_length()
            raise ValueError(
                f"data: expected at most {levels} different integers in a column, got "
                f"{int(spans[place])} from {int(least[place])} to {int(most[place])} in "
                f"{names[place]!r}; --config.model.args.levels={power} makes room"
            )
        # A column's integers lie in the middle of the model's, far from where these start again.
        least = [int(value) for value in least - (levels - spans) // 2]
    train, validation, test = map(_int32, parts)
    return dataclasses.replace(
        data,
        train=train,
        validation=validation,
        test=lambda: test,
        facts=data.facts | {"least": least},
        mean=None,
        std=None,
        cells=None,
    )


def text(config: ConfigDict, trained: dict) -> Data:
    """Windows of a text file, whose first 90 % are trained on, and the next and last 5 % tested on.

    Training rows begin at every character; those of the other parts do not overlap.

    Raises:
      ValueError: if the file is no text, is too short, or has another number of
        characters than the model.
    """
    source, length = characters.read(need(config, "path")), need(config, "length")
    letters = trained.get("alphabet") or characters.alphabet(source)
    if len(letters) < 2:
        raise ValueError(f"data: expected at least 2 different characters, got {len(letters)}")
    if config.model.args.levels not in (None, len(letters)):
        raise ValueError(
            f"model.args.levels: expected none given, or {len(letters)}, the number of different "
            f"characters in the text, got {config.model.args.levels}"
        )
    numbers = characters.encode(source, letters)
    ends = [round(share * len(numbers)) for share in (0.9, 0.95)]
    parts = np.split(numbers, ends)
    if len(parts[2]) < length:
        raise ValueError(
            f"data: expected text of {20 * length} characters or more for rows of {length}, got "
            f"{len(numbers)}"
        )
    train, validation, test = (
        characters.windows(part, length, step)
        for part, step in zip(parts, (1, length, length), strict=True)
    )
    one, two = characters.entropies(numbers)
    return Data(
        event_shape=(length,),
        train=train,
        validation=validation,
        test=lambda: test,
        facts={
            "source": "text",
            "name": pathlib.Path(config.data.path).name,
            "split": "the first 90 %, the next 5 % and the last 5 % of the characters",
            "rows": {"train": len(train), "validation": len(validation), "test": len(test)},
            "length": length,
            "alphabet": letters,
            "least": [0] * length,
            "entropy_bits": {"of a character": one, "given the one before": two},
        },
    )


def _int32(values: np.ndarray) -> np.ndarray:
    """Whole numbers as int32; those beyond its range, and so beyond any model's, at its ends."""
    ends = np.iinfo(np.int32)
    return np.clip(values, ends.min, ends.max).astype(np.int32)
