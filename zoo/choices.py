"""Values that flags choose among, where `--help` finds them without importing TensorFlow."""

# Of `zoo.train`: `tfflows.training.strategy.NAMES`.
STRATEGIES = ("auto", "one", "mirrored", "multi_worker", "tpu")

# Of `zoo.sample`: its modes, `zoo.image_modes.MASKS` and `tfflows.sampling.inpainting.METHODS`.
MODES = ("samples", "classes", "interpolate", "manifold", "reconstruct", "inpaint")
MASKS = ("top", "bottom", "left", "right", "center", "checkerboard", "random")
METHODS = ("ascent", "langevin")

# Of `zoo.evaluate`.
PARTS = ("test", "all")

# Of `zoo.image_studies`.
STUDIES = ("flowpp", "partition")
