"""Runs exports where there is nothing but TensorFlow and NumPy.

    client.py WORK

For every folder of WORK: runs each signature of the SavedModel that `path.txt` names, if
`inputs.npz` has all that it takes, on the first 1, 3 and 8 rows of them, and writes `outputs.npz`
with a key `SIGNATURE/ROWS/OUTPUT`.
"""

import importlib.machinery
import pathlib
import sys

BLOCKED = {"tfflows", "zoo", "export", "tensorflow_probability", "keras", "tf_keras"}


class Blocker:
    """Refuses to import what a server does not have.

    The packages are found but cannot be loaded: TensorFlow, when it is imported, looks for a keras
    and imports it if it can.
    """

    def find_spec(self, name, path=None, target=None):
        """Takes the blocked packages; others are left to the usual finders."""
        if name.split(".")[0] in BLOCKED:
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def create_module(self, spec):
        """Raises."""
        raise ModuleNotFoundError(f"{spec.name} is blocked", name=spec.name)

    def exec_module(self, module):
        """Is not reached."""


sys.meta_path.insert(0, Blocker())

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def main(work: pathlib.Path) -> None:
    """Runs every export below `work`."""
    for folder in sorted(work.iterdir()):
        loaded = tf.saved_model.load((folder / "path.txt").read_text())
        rows = np.load(folder / "inputs.npz")
        outputs = {}
        for name, function in loaded.signatures.items():
            names = function.structured_input_signature[1]
            if not set(names) <= set(rows):
                continue
            for n in (1, 3, 8):
                result = function(**{key: tf.constant(rows[key][:n]) for key in names})
                for key, value in result.items():
                    outputs[f"{name}/{n}/{key}"] = value.numpy()
        np.savez(folder / "outputs.npz", **outputs)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
    imported = BLOCKED & {name.split(".")[0] for name in sys.modules}
    assert not imported, imported
