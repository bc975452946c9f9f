"""Exports a model of the zoo, or one of your own, for TF Serving.

Writes `OUTPUT/VERSION`, a SavedModel, and prints its signatures and its path.

Examples:
  python -m export --model=nsf_moons --output=served/nsf_moons
  python -m export --model=runs/rows --output=served/rows --version=2
"""

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("model", None, "Name of a zoo model, or a work directory.")
    flags.DEFINE_string(
        "output", None, "Folder for the exported model; each version gets a subfolder."
    )
    flags.DEFINE_integer("version", 1, "Version, a positive integer.")
    flags.DEFINE_bool("overwrite", False, "Replace the version if it exists.")
    cli.define_samples()
    cli.begin("export", __doc__, ("model", "output"))

import tensorflow as tf

import export
import zoo


def main() -> None:
    """Loads the model, exports it, and prints its signatures and, last, the path."""
    tf.get_logger().setLevel("ERROR")
    wanted = flags.FLAGS
    model, card = zoo.load(wanted.model), zoo.card(wanted.model)
    cli.set_samples(model, wanted.samples)
    path = export.save(model, wanted.output, wanted.version, wanted.overwrite, card)
    for name, signature in export.signatures(path).items():
        print(f"{name}: {signature}")
    print(path)


if __name__ == "__main__":
    cli.run(main)
