"""tfflows: normalizing flows for TensorFlow.

Bijectors that work wherever a `tfp.bijectors.Bijector` does, and Keras 3 models built from them
that train with `tf.distribute`. Import `tfflows.data`, `tfflows.plots` and `tfflows.training` by
name.
"""

from tfflows import startup, versions

with startup.quiet():
    versions.check()

# ruff: noqa: E402  (the versions are checked before anything that needs them is imported)
from tfflows import bijectors, distributions, models, networks, random
from tfflows.models import BijectorLayer, Flow

__version__ = versions.VERSION
__all__ = ["BijectorLayer", "Flow", "bijectors", "distributions", "models", "networks", "random"]
