"""The one file from which a training run resumes."""

from __future__ import annotations

import json
import os
import zipfile

import keras
import numpy as np

from tfflows import files

_STATE = "state"


def save_state(
    path: str | os.PathLike, variables: list[keras.Variable], state: dict[str, object]
) -> None:
    """Writes variables and a JSON-able state into one file, atomically.

    Args:
      path: an .npz file.
      variables: Keras variables; pass them to `restore_state` in the same order.
      state: everything else the run resumes from.
    """
    arrays = {
        f"{index:05d}": keras.ops.convert_to_numpy(variable.value)
        for index, variable in enumerate(variables)
    }
    encoded = np.frombuffer(json.dumps(state).encode(), np.uint8)

    def write(temporary):
        with open(temporary, "wb") as file:
            np.savez(file, **{_STATE: encoded}, **arrays)

    files.write(path, write)


def read_state(path: str | os.PathLike) -> dict:
    """The state that `save_state` wrote, without the variables.

    Raises:
      ValueError: if `save_state` did not write the file.
    """
    with _open(path) as archive:
        return json.loads(archive[_STATE].tobytes())


def restore_state(path: str | os.PathLike, variables: list[keras.Variable]) -> dict:
    """Assigns the variables that `save_state` wrote.

    Returns:
      The state that was written with them.

    Raises:
      ValueError: if the file is damaged or holds other variables; none is then assigned.
    """
    with _open(path) as archive:
        arrays = [archive[name] for name in sorted(archive.files) if name != _STATE]
        state = json.loads(archive[_STATE].tobytes())
    expected = [tuple(variable.shape) for variable in variables]
    found = [array.shape for array in arrays]
    if expected != found:
        raise ValueError(
            f"checkpoint: expected {len(expected)} variables with the model's shapes in {path}, "
            f"got {len(found)} from another model"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return state


def _open(path):
    try:
        archive = np.load(path, allow_pickle=False)
        if _STATE not in archive.files:
            raise KeyError(_STATE)
    except (OSError, ValueError, KeyError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"checkpoint: {path} is not a checkpoint of a run: {error}") from None
    return archive
