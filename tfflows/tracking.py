"""The bridge between Keras 3 and `tf.Module`: one set of variables that both sides see.

TensorFlow Probability's bijectors are `tf.Module`s and know nothing of Keras 3 layers; a Keras 3
model knows nothing of a `tf.Module`'s variables. Three readers must see every variable:

* Keras (weights, optimizer, `.weights.h5`): `AdoptedModule`, a layer that a model holds;
* `tf.Module` (`bijector.trainable_variables`, `tfp.vi`): `layer_variables`, which a bijector stores
  as an attribute;
* `tf.train.Checkpoint` and SavedModel: both of the above are trackable, so nothing more is needed.
"""

from __future__ import annotations

import collections

import keras
import tensorflow as tf

from tfflows import compat


def keras_layers(module: tf.Module) -> list[keras.layers.Layer]:
    """Returns the Keras layers held by `module` and the modules below it, each once.

    Layers are found in attributes, and in lists and dicts of attributes, of `tf.Module`s. A layer
    in a plain Python object or in a closure is not found.
    """
    found = compat.held(module, keras.layers.Layer)
    return list({id(layer): layer for layer in found}.values())


def layer_variables(layer) -> list[tf.Variable]:
    """Returns the raw `tf.Variable`s of a built layer (Keras 3 or tf_keras), to store as is."""
    return [v if isinstance(v, tf.Variable) else v.value for v in layer.variables]


def raw_variables(module: tf.Module) -> list[tf.Variable]:
    """Returns every `tf.Variable` of `module`, including those of its Keras layers, each once."""
    found = compat.held(module, tf.Variable)
    for layer in keras_layers(module):
        found += layer_variables(layer)
    return list({id(variable): variable for variable in found}.values())


def _adopt(variable: tf.Variable, name: str) -> keras.Variable:
    """Wraps an existing `tf.Variable` (or MirroredVariable) for Keras, without copying it."""
    adopted = keras.Variable(
        initializer=variable,
        trainable=variable.trainable,
        dtype=variable.dtype.name,
        name=name,
    )
    constraint = getattr(variable, "constraint", None)
    if constraint is not None:
        # Keras 3 passes its own variable type to a constraint; TensorFlow's expects a tensor.
        adopted.constraint = lambda value: constraint(tf.convert_to_tensor(value))
    return adopted


@keras.saving.register_keras_serializable("tfflows")
class AdoptedModule(keras.layers.Layer):
    """Keras's view of a `tf.Module`: its layers as sublayers, its other variables as weights.

    Args:
      module: a `tf.Module` whose variables exist already, such as a bijector.
      **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, module: tf.Module, **kwargs):
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.networks = keras_layers(module)
        owned = {id(v) for layer in self.networks for v in layer_variables(layer)}
        taken = collections.Counter()
        for variable in (v for v in raw_variables(module) if id(v) not in owned):
            # Drop the scope: Keras renumbers unnamed layers in every process.
            name = variable.name.split(":")[0].split("/")[-1]
            taken[name] += 1
            unique = name if taken[name] == 1 else f"{name}_{taken[name]}"
            compat.track(self, _adopt(variable, unique))
        self.built = True

    def save_own_variables(self, store):
        """Writes each variable under its name, so that attribute order cannot mix them up."""
        for variable in compat.own_variables(self):
            store[variable.name] = variable.numpy()

    def load_own_variables(self, store):
        """Reads each variable by its name.

        Raises:
          ValueError: if names or shapes belong to another module; no variable is then changed.
        """
        variables = {variable.name: variable for variable in compat.own_variables(self)}
        expected = {name: tuple(v.shape) for name, v in variables.items()}
        found = {name: tuple(store[name].shape) for name in store.keys()}
        if found != expected:
            differ = sorted({*found, *expected}, key=lambda n: found.get(n) == expected.get(n))
            name = differ[0]
            raise ValueError(
                f"weights: expected {len(expected)} variables with {name} of shape "
                f"{expected.get(name)}, got {len(found)} with shape {found.get(name)}"
            )
        for name, variable in variables.items():
            variable.assign(store[name])

    def call(self, inputs):
        """Returns `inputs`: the layer only holds variables."""
        return inputs
