"""Exports a model of the zoo, or one of your own, for TF Serving.

python -m export --model=NAME_OR_WORKDIR --output=DIR [--version=1] [--overwrite] [--samples=1]
"""

import tensorflow as tf
from absl import flags

import export
import zoo
from zoo import command


def main() -> None:
    """Loads the model, exports it, and prints its signatures and, last, the path."""
    tf.get_logger().setLevel("ERROR")
    wanted = flags.FLAGS
    model, card = zoo.load(wanted.model), zoo.card(wanted.model)
    command.set_samples(model, wanted.samples)
    path = export.save(model, wanted.output, wanted.version, wanted.overwrite, card)
    for name, signature in export.signatures(path).items():
        print(f"{name}: {signature}")
    print(path)


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "Name of a zoo model, or a work directory.")
    flags.DEFINE_string("output", None, "Folder of the model; versions go below it.")
    flags.DEFINE_integer("version", 1, "Version, a positive integer.")
    flags.DEFINE_bool("overwrite", False, "Replace the version if it exists.")
    command.define_samples()
    flags.mark_flags_as_required(["model", "output"])
    command.run(main)
