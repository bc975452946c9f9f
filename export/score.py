"""Scores rows with an exported model.

usage: python export/score.py MODEL_DIR/1 ROWS.npy SCORES.npy

Examples:
  python -m export --model=nsf_moons --output=served/nsf_moons
  python export/score.py served/nsf_moons/1 rows.npy scores.npy

Needs only TensorFlow and numpy. It does what a server does, and the demo runs it in a process of
its own.
"""

import os
import sys

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        sys.exit(0)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # only errors

import numpy as np
import tensorflow as tf


def main(model: str, rows: str, scores: str) -> None:
    """Writes the log-density of each row, in nats."""
    if not os.path.isfile(os.path.join(model, "saved_model.pb")):
        raise ValueError(f"model: expected the folder of an export, got {model!r}")
    if not os.path.isdir(os.path.dirname(os.path.abspath(scores))):
        raise ValueError(f"scores: the folder {os.path.dirname(scores)!r} does not exist")
    x = _read(rows)
    signature = tf.saved_model.load(model).signatures["log_prob"]
    expected = signature.structured_input_signature[1]["x"]
    if not expected.shape.is_compatible_with(x.shape):
        raise ValueError(f"rows: expected shape {expected.shape}, got {x.shape} in {rows!r}")
    if expected.dtype.is_integer and not np.array_equal(x, x.astype(expected.dtype.as_numpy_dtype)):
        raise ValueError(f"rows: expected {expected.dtype.name}, got {x.dtype} in {rows!r}")
    if expected.dtype == tf.float64 and x.dtype.kind == "f" and x.dtype.itemsize < 8:
        raise ValueError(
            f"rows: expected float64 (this model needs its precision), got {x.dtype} in {rows!r}"
        )
    x = x.astype(expected.dtype.as_numpy_dtype)
    parts = [signature(x=tf.constant(x[i : i + 4096])) for i in range(0, len(x), 4096)]
    np.save(scores, np.concatenate([part["log_prob"].numpy() for part in parts]))
    others = {"tfflows", "zoo", "export", "tensorflow_probability"} & set(sys.modules)
    print(f"scored {len(x)} rows; imported {len(others)} of tfflows, zoo, export and TFP")


def _read(rows: str) -> np.ndarray:
    try:
        x = np.load(rows)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"rows: {rows!r} cannot be read: {error}") from None
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fiu" or not x.size:
        raise ValueError(f"rows: expected numbers in a .npy file, got {rows!r}")
    return x


if __name__ == "__main__":
    try:
        if len(sys.argv) != 4:
            raise ValueError("expected three arguments: MODEL_DIR/1 ROWS.npy SCORES.npy")
        main(*sys.argv[1:])
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        print(f"error: {(str(error).strip() or repr(error)).splitlines()[0]}", file=sys.stderr)
        sys.exit(2)
