"""Every private name of TensorFlow, TensorFlow Probability and Keras that tfflows uses.

A new version of these packages may move or rename them. `missing` names the ones that are gone.
Hooks that TFP documents for subclasses of its bijectors (`_forward`, `_inverse`,
`_inverse_log_det_jacobian`, `_parameter_properties`) are not listed.
"""

from __future__ import annotations

import keras
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability.python.bijectors.chain import _Chain
from tensorflow_probability.python.bijectors.invert import _Invert

# `tfb.Chain` and `tfb.Invert` are these two as composite tensors. `tf.Module` does not look for
# variables inside a composite tensor, so they would hide their variables inside another bijector.
Chain, Invert = _Chain, _Invert


def held(module: tf.Module, kind: type) -> list:
    """Objects of a kind in the attributes of a module and of the modules below it."""
    return list(module._flatten(predicate=lambda leaf: isinstance(leaf, kind)))


def log_det_of_forward(bijector: tfp.bijectors.Bijector, x, keywords: dict) -> dict:
    """The entry of TFP's cache for the input `x` of `forward`; `ildj` is the log-determinant."""
    return bijector._cache.forward_attributes(x, **keywords)


def log_det_of_inverse(bijector: tfp.bijectors.Bijector, y, keywords: dict) -> dict:
    """The entry of TFP's cache for the input `y` of `inverse`."""
    return bijector._cache.inverse_attributes(y, **keywords)


def track(layer: keras.layers.Layer, variable: keras.Variable) -> None:
    """Makes a variable that exists already a weight of a Keras layer."""
    layer._track_variable(variable)


def own_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The variables of a Keras layer itself, without those of its sublayers."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def clipped(optimizer: keras.optimizers.Optimizer, gradients: list) -> list:
    """Gradients clipped as the optimizer is set to."""
    return optimizer._clip_gradients(gradients)


def moving_averages(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The averages of the weights that a built optimizer with `use_ema` keeps."""
    return optimizer._model_variables_moving_average


def missing() -> list[str]:
    """The private names that the installed versions lack."""
    layer = keras.layers.Layer()
    optimizer = keras.optimizers.SGD(use_ema=True)
    optimizer.build([])
    places = {
        "tf.Module": (tf.Module, ["_flatten"]),
        "tfp.bijectors.Bijector": (tfp.bijectors.Identity(), ["_cache"]),
        "tfp.bijectors.Bijector._cache": (
            getattr(tfp.bijectors.Identity(), "_cache", None),
            ["forward_attributes", "inverse_attributes"],
        ),
        "tfp.bijectors.Chain": (_Chain, ["_walk_forward", "_walk_inverse"]),
        "tfp.bijectors.AutoregressiveNetwork": (
            tfp.bijectors.AutoregressiveNetwork(1, event_shape=[2], hidden_units=[4]),
            ["_event_size", "_params", "_hidden_units", "_conditional"],
        ),
        "keras.layers.Layer": (
            layer,
            ["_track_variable", "_trainable_variables", "_non_trainable_variables"],
        ),
        "keras.optimizers.Optimizer": (
            optimizer,
            ["_clip_gradients", "_model_variables_moving_average"],
        ),
    }
    return [
        f"{place}.{name}"
        for place, (owner, names) in places.items()
        for name in names
        if not hasattr(owner, name)
    ]
