"""Molecules of a file of SMILES."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
from ml_collections import ConfigDict

from tfflows import files
from tfflows.data import smiles_files
from tfflows.data.molecules import Vocabulary
from zoo.modalities.data import Data, need

_FEWEST = 20  # molecules, so that no part is empty


def molecules(config: ConfigDict, trained: dict) -> Data:
    """The molecules of a file, of which the same parts are tested on in every run.

    Prints how many are left out, and why.

    Raises:
      ValueError: if the file has no molecules, too few of them, or another number of types
        than the model.
    """
    path = need(config, "path")
    vocabulary = Vocabulary(**trained["vocabulary"]) if trained else None
    read = smiles_files.read(os.path.expanduser(path), vocabulary)
    if len(read.vectors) < _FEWEST:
        raise ValueError(
            f"data: expected {_FEWEST} molecules or more, got {len(read.vectors)} from {path}"
        )
    found = {"node_types": read.vocabulary.atoms, "edge_types": read.vocabulary.bonds}
    for name, types in found.items():
        if config.model.args[name] not in (None, len(types)):
            raise ValueError(
                f"model.args.{name}: expected none given, or {len(types)}, the number in the file, "
                f"got {config.model.args[name]}"
            )
    left_out = dict(read.left_out)
    if read.unreadable:
        left_out["that RDKit cannot read"] = len(read.unreadable)
    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        count = sum(left_out.values())
        name = os.path.basename(path)
        print(f"{name}: {count} of {read.found} molecules are left out: {reasons}", flush=True)
    rows = read.vectors[np.random.default_rng(0).permutation(len(read.vectors))]
    ends = [round(share * len(rows)) for share in (0.81, 0.9)]
    train, validation, test = np.split(rows, ends)
    return Data(
        event_shape=rows.shape[1:],
        train=train,
        validation=validation,
        test=lambda: test,
        facts={
            "source": "smiles",
            "name": os.path.basename(path),
            "sha256": files.sha256(os.path.expanduser(path)),
            "split": "rows permuted by numpy.random.default_rng(0); the last 10 % are test, the "
            "10 % of the rest before them validation",
            "rows": {"train": len(train), "validation": len(validation), "test": len(test)},
            "vocabulary": dataclasses.asdict(read.vocabulary),
            "found": read.found,
            "left_out": left_out,
        },
    )
