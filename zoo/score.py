"""Scores rows with an exported model: `python zoo/score.py MODEL_DIR/1 ROWS.npy SCORES.npy`.

Needs TensorFlow and numpy alone: it is what a server does, and what the demo runs in a process of
its own.
"""

import sys

import numpy as np
import tensorflow as tf


def main(model: str, rows: str, scores: str) -> None:
    """Writes the log-density of each row, in nats."""
    signature = tf.saved_model.load(model).signatures["log_prob"]
    x = np.load(rows)
    parts = [signature(x=tf.constant(x[i : i + 4096])) for i in range(0, len(x), 4096)]
    np.save(scores, np.concatenate([part["log_prob"].numpy() for part in parts]))
    others = {"tfflows", "zoo", "export", "tensorflow_probability"} & set(sys.modules)
    print(f"scored {len(x)} rows; of tfflows, zoo, export and TFP imported: {len(others)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
