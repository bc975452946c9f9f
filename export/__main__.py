"""Exports a model of the zoo, or one of your own, for TF Serving.

python -m export --model=NAME_OR_WORKDIR --output=DIR [--version=1] [--overwrite]
"""

import os
import sys

from absl import app, flags

_MODEL = flags.DEFINE_string("model", None, "Name of a zoo model, or a work directory.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder of the model; versions go below it.")
_VERSION = flags.DEFINE_integer("version", 1, "Version, a positive integer.")
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace the version if it exists.")
flags.mark_flags_as_required(["model", "output"])


def _fail(error: Exception) -> None:
    print("error:", " ".join(str(error).split()), file=sys.stderr)
    sys.exit(2)


def _parse(arguments: list[str]) -> list[str]:
    try:
        rest = flags.FLAGS(arguments)
        if len(rest) > 1:
            raise flags.Error(f"expected flags only, got {rest[1]!r}")
        return rest
    except flags.Error as error:
        _fail(error)


def main(_) -> None:
    """Loads the model, exports it, and prints its signatures and the path."""
    # TensorFlow's notes on CPU features; it reads this when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    import zoo
    from export import checks, save

    tf.get_logger().setLevel("ERROR")
    try:
        model, card = zoo.load(_MODEL.value), zoo.card(_MODEL.value)
        path = save(model, _OUTPUT.value, _VERSION.value, _OVERWRITE.value, card)
    except ValueError as error:
        _fail(error)
    for name, signature in checks.signatures(path).items():
        print(f"{name}: {signature}")
    print(path)


if __name__ == "__main__":
    app.run(main, flags_parser=_parse)
