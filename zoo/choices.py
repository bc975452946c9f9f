"""Values of enum flags, kept apart so that `--help` does not import TensorFlow."""

# For `zoo.train`: the same as `tfflows.training.strategy.NAMES`.
STRATEGIES = ("auto", "one", "mirrored", "multi_worker", "tpu")

# For `zoo.evaluate`.
PARTS = ("test", "all")

# For `zoo.studies.images`.
STUDIES = ("flowpp", "partition")
