"""Values that flags choose among, where `--help` finds them without importing TensorFlow."""

# Of `zoo.train`: `tfflows.training.strategy.NAMES`.
STRATEGIES = ("auto", "one", "mirrored", "multi_worker", "tpu")

# Of `zoo.evaluate`.
PARTS = ("test", "all")

# Of `zoo.image_studies`.
STUDIES = ("flowpp", "partition")
