"""Runs exports where there is nothing but TensorFlow and NumPy.

    client.py WORK

For every folder of WORK: runs each signature of the SavedModel that `path.txt` names on the first
1, 3 and 8 rows of `inputs.npz`, and writes `outputs.npz` with a key `SIGNATURE/ROWS/OUTPUT`.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

BLOCKED = {"tfflows", "zoo", "export", "tensorflow_probability", "keras", "tf_keras"}


class Blocker:
    """Refuses to import what a server does not have."""

    def find_spec(self, name, path=None, target=None):
        """Raises for the blocked packages; others are left to the usual finders."""
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)
        return None


def imported() -> set[str]:
    """Those of the blocked packages that are there."""
    return BLOCKED & {name.split(".")[0] for name in sys.modules}


def main(work: pathlib.Path) -> None:
    """Runs every export below `work`."""
    for folder in sorted(work.iterdir()):
        loaded = tf.saved_model.load((folder / "path.txt").read_text())
        rows = np.load(folder / "inputs.npz")
        outputs = {}
        for name, function in loaded.signatures.items():
            for n in (1, 3, 8):
                names = function.structured_input_signature[1]
                result = function(**{key: tf.constant(rows[key][:n]) for key in names})
                for key, value in result.items():
                    outputs[f"{name}/{n}/{key}"] = value.numpy()
        np.savez(folder / "outputs.npz", **outputs)


if __name__ == "__main__":
    # After TensorFlow, which looks for a keras (and imports none) when it is imported.
    assert not imported(), imported()
    sys.meta_path.insert(0, Blocker())
    main(pathlib.Path(sys.argv[1]))
    assert not imported(), imported()
