"""Values of flags and config entries, kept apart so that they can be checked without TensorFlow."""

# For `zoo.train`: the same as `tfflows.training.strategy.NAMES`.
STRATEGIES = ("auto", "one", "mirrored", "multi_worker", "tpu")

# For `config.train`: those of `tfflows.training.optimizers`, and the largest seed of a model.
OPTIMIZERS = ("adam", "adamax", "adamw", "lion", "muon", "nadam", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine")
MAX_SEED = 2**32 // 1000 - 1

# For `zoo.evaluate`.
PARTS = ("test", "all")

# For `zoo.studies.images`.
STUDIES = ("flowpp", "partition")
