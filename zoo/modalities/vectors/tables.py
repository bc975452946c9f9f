"""Tables of numbers, from a user's file or from TFDS."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
from ml_collections import ConfigDict

from tfflows import files
from tfflows.data import by_name, copies, grid, sources, table
from zoo.modalities.data import Data, need

_CONSTANT = "constant over the training rows"  # why a column is left out


def load_file(config: ConfigDict, trained: dict, keep_copies: bool = False) -> Data:
    """A user's table; a trained model's columns are found by their names on its card.

    Args:
      config: the config.
      trained: what the card of a trained model says about its data; empty for a new model.
      keep_copies: keep columns that repeat another, for a model that gives them probabilities.
    """
    path = need(config, "path")
    columns = trained.get("columns")
    read = table.read_table(
        path,
        _header(config.data.header),
        config.data.keep_identifiers,
        columns,
        _all_columns(trained),
        tell=lambda sentence: print(sentence, flush=True),
    )
    try:
        splits = table.prepare(read, config.data.drop_constant, keep_constant=columns is not None)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    facts = {
        "source": "table",
        "name": os.path.basename(path),
        "sha256": files.sha256(os.path.expanduser(path)),
        "split": "rows permuted by numpy.random.default_rng(0); the last 10 % are test, "
        "the last 10 % of the rest validation",
    }
    constant = dict.fromkeys(splits.dropped, _CONSTANT)
    splits, repeated = (splits, {}) if trained or keep_copies else _without_copies(splits, config)
    for name, reason in (constant | repeated).items():
        print(f"{os.path.basename(path)}: left out: {name!r} ({reason})", flush=True)
    left_out = read.left_out | constant | repeated
    if left_out:
        facts["all_columns"] = read.all_columns
    return _from_splits(splits, facts, left_out)


def _without_copies(splits: table.TableSplits, config: ConfigDict):
    """The parts without columns that repeat another, and why each such column was left out.

    A column with cells may repeat another, because its cells give it a probability.
    """
    has_cells = np.zeros(len(splits.columns), bool)
    if config.model.args.get("dequantize", False):
        has_cells = _cells(splits).step > 0
    found = copies.find_copies(splits.train)
    found = {second: first for second, first in found.items() if not has_cells[second]}
    names = splits.columns
    kept = [i for i in range(len(names)) if i not in found]
    reasons = {names[second]: f"a copy of {names[first]!r}" for second, first in found.items()}
    if not found:
        return splits, reasons
    parts = {name: getattr(splits, name)[:, kept] for name in ("train", "validation", "test")}
    statistics = {"mean": splits.mean[kept], "std": splits.std[kept]}
    columns = [names[i] for i in kept]
    return dataclasses.replace(splits, **parts, **statistics, columns=columns), reasons


def _cells(splits: table.TableSplits) -> grid.Cells:
    # From all rows: how a column is written is a fact of the file, not something that is learned.
    return grid.find_cells(np.concatenate([splits.train, splits.validation, splits.test]))


def _header(value: str) -> bool | None:
    values = {"auto": None, "yes": True, "no": False}
    if value not in values:
        raise ValueError(f"data.header: expected {', '.join(values)}, got {value!r}")
    return values[value]


def _all_columns(trained: dict) -> list[str] | None:
    """All columns, in order, of the table that a card describes; None if it does not say."""
    columns, dropped = trained.get("columns"), list(trained.get("dropped", []))
    if columns is None or "all_columns" in trained:
        return trained.get("all_columns")
    if not dropped:
        return columns
    names = columns + dropped
    if not by_name.are_default(names):
        return None
    return sorted(names, key=lambda name: int(name.removeprefix("column_")))


def load_tfds(config: ConfigDict, trained: dict) -> Data:
    """The numeric features of a TFDS set."""
    name, data_dir = need(config, "name"), need(config, "data_dir")
    train, validation, test = (
        sources.tfds_table(name, data_dir, part) for part in ("train[:90%]", "train[90%:]", "test")
    )
    columns = trained.get("columns")
    if columns is not None:
        places = by_name.positions(train.columns, len(train.columns), columns, train.columns)
        train, validation, test = (
            table.Table(part.values[:, places], columns) for part in (train, validation, test)
        )
    rows = [table.as_float64(part) for part in (train, validation, test)]
    std = rows[0].std(axis=0, dtype=np.float64)
    keep = (np.ptp(rows[0], axis=0) > 0) | (columns is not None)
    if not keep.all() and not config.data.drop_constant:
        names = ", ".join(repr(train.columns[i]) for i in np.flatnonzero(~keep))
        raise ValueError(
            f"data: expected columns that vary over the training rows, got constant {names} "
            "(--config.data.drop_constant=True leaves them out)"
        )
    splits = table.TableSplits(
        *(part[:, keep] for part in rows),
        mean=rows[0].mean(axis=0, dtype=np.float64)[keep],
        std=std[keep],
        columns=[c for c, kept in zip(train.columns, keep, strict=True) if kept],
        dropped=[c for c, kept in zip(train.columns, keep, strict=True) if not kept],
    )
    split = "official; the last 10 % of train are validation"
    dropped = dict.fromkeys(splits.dropped, _CONSTANT)
    return _from_splits(splits, {"source": "tfds", "name": name, "split": split}, dropped)


def _from_splits(splits: table.TableSplits, facts: dict, dropped: dict[str, str]) -> Data:
    rows = {name: len(getattr(splits, name)) for name in ("train", "validation", "test")}
    return Data(
        event_shape=(splits.train.shape[1],),
        train=splits.train,
        validation=splits.validation,
        test=lambda: splits.test,
        facts=facts | {"rows": rows, "columns": splits.columns, "dropped": dropped},
        mean=splits.mean,
        std=splits.std,
        cells=_cells(splits),
    )
