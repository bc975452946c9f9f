"""Saves a density model as a SavedModel that TF Serving loads as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from export import checks, warmup
from export.folders import version_folder
from tfflows.models import DensityModel
from tfflows.random import row_seeds
from tfflows.versions import VERSION


class Served(tf.Module):
    """Holds a model's variables, which go into the export beside its signatures.

    It does not hold the functions of the signatures: `tf.saved_model.save` would trace them again.

    Args:
      model: a `DensityModel`.
    """

    def __init__(self, model: DensityModel):
        super().__init__(name="served")
        self.model_variables = [variable.value for variable in model.weights]


def _never_empty(function: Callable) -> Callable:
    """Wraps `function` to run an empty batch as one row, as oneDNN's convolutions refuse it."""

    def run(*arguments):
        rows = tf.shape(arguments[0])[0]
        missing = tf.cast(tf.equal(rows, 0), tf.int32)
        arguments = [
            tf.concat([value, tf.zeros([missing, *value.shape[1:]], value.dtype)], 0)
            for value in arguments
        ]
        return {name: result[:rows] for name, result in function(*arguments).items()}

    return run


def _functions(model: DensityModel) -> dict[str, Callable]:
    """A `tf.function` for each signature, which takes and returns tensors with the batch first.

    None is compiled with XLA, however the model was trained: servers switch XLA off and refuse a
    function that needs it.
    """
    x = tf.TensorSpec([None, *model.event_shape], model.event_dtype, name="x")
    seed = tf.TensorSpec([None, 2], tf.int64, name="seed")
    temperature = tf.TensorSpec([None], tf.float32, name="temperature")
    contexts = []
    if model.context_shape is not None:
        contexts = [tf.TensorSpec([None, *model.context_shape], tf.float32, name="context")]

    def function(python_function, *specs):
        if len(model.event_shape) > 1:
            python_function = _never_empty(python_function)
        specification = [*specs, *contexts]
        return tf.function(python_function, input_signature=specification, autograph=False)

    def log_prob(x, *context):
        return {"log_prob": _batch(model.log_prob_fn(x, *context), [])}

    def sample_at(seed, temperature, *context):
        return {"samples": _batch(model.draw(seed, temperature, *context), model.event_shape)}

    def sample(seed, *context):
        return sample_at(seed, tf.ones(tf.shape(seed)[:1]), *context)

    def encode(x, *context):
        return {"z": _batch(model.encode_fn(x, *context), model.latent_shape)}

    def decode(z, *context):
        return {"x": _batch(model.decode_fn(z, *context), model.event_shape)}

    functions = {"log_prob": function(log_prob, x)}
    if model.supports_temperature:
        functions["sample"] = function(sample_at, seed, temperature)
    else:
        functions["sample"] = function(sample, seed)
    if model.has_latents:
        z = tf.TensorSpec([None, *model.latent_shape], tf.float32, name="z")
        functions["encode"] = function(encode, x)
        functions["decode"] = function(decode, z)
    for name, (python_function, specs) in model.extra_signatures().items():
        functions[name] = function(python_function, *specs)
    return functions


def _batch(value: tf.Tensor, shape) -> tf.Tensor:
    """Sets the static shape `[batch, *shape]`, which tracing cannot always infer."""
    value.set_shape([None, *shape])
    return value


def save(
    model: DensityModel,
    directory: str | os.PathLike,
    version: int = 1,
    overwrite: bool = False,
    card: dict | None = None,
) -> str:
    """Writes `directory/<version>/`, a SavedModel that TF Serving loads as it is.

    Running it needs neither this project, nor Keras, nor TensorFlow Probability. It has these
    signatures, with the batch first in every input and output:

    * `log_prob` (also `serving_default`): `x` `[batch, *event]` to `log_prob` `[batch]`, nats;
    * `sample`: `seed` `int64 [batch, 2]` (key and draw number) and, for a normal or logistic base,
      `temperature` `[batch]` to `samples` `[batch, *event]`;
    * `encode` and `decode`, for flows: `x` to `z` and `z` to `x`;
    * those of `model.extra_signatures`.

    Each also takes `context` `[batch, *context_shape]` if the model is conditional.

    The folder also holds `assets.extra/card.json`, and warm-up requests if tensorflow_serving is
    installed. It appears whole or not at all; a version that is overwritten stays until the new one
    takes its place.

    Args:
      model: a model whose weights are finite and whose ActNorm layers are initialised.
      directory: the model's folder, with a folder for each version; created if it is missing.
      version: a positive integer; a server takes the highest.
      overwrite: whether to replace an existing version.
      card: plain JSON values that describe the model; a few facts about it if `None`.

    Returns:
      Path of the version folder.

    Raises:
      ValueError: if `model` is not a `DensityModel`, is not initialised or has a weight that is not
        finite; if `version` is not a positive integer, or exists; if `directory` cannot be written
        to; if `card` is not plain JSON.
    """
    _check_model(model)
    card = _card(model) if card is None else card
    _to_json(card)
    with version_folder(directory, version, overwrite) as path:
        served = Served(model)
        functions = {
            name: function.get_concrete_function() for name, function in _functions(model).items()
        }
        functions["serving_default"] = functions["log_prob"]
        # A served model is not trained, and gradients of loops cannot be saved.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(served, path, signatures=functions, options=options)
        checks.check(path)
        extra = os.path.join(path, "assets.extra")
        os.makedirs(extra)
        with open(os.path.join(extra, "card.json"), "w", encoding="utf-8") as stream:
            stream.write(_to_json({**card, "export": _manifest(path)}))
        for name, content in model.extra_files().items():
            with open(os.path.join(extra, name), "wb") as stream:
                stream.write(content)
        warmup.write(path, str(card.get("name", model.name)), _requests(model, functions))
    return os.path.join(directory, str(version))


def _check_model(model) -> None:
    if not isinstance(model, DensityModel):
        raise ValueError(f"model: expected a DensityModel, got {type(model).__name__}")
    if not model.initialized:
        raise ValueError(
            "model: expected an initialised model, got one that has seen no data; call "
            "initialize(x) with a batch, train with fit, or load weights first"
        )
    for variable in model.weights:
        value = keras.ops.convert_to_numpy(variable)
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
            raise ValueError(f"model: expected finite weights, got NaN or inf in {variable.path}")


def _card(model: DensityModel) -> dict:
    return {
        "name": model.name,
        "model": type(model).__name__,
        "event_shape": list(model.event_shape),
        "context_shape": None if model.context_shape is None else list(model.context_shape),
        "parameters": int(sum(np.prod(v.shape) for v in model.trainable_weights)),
    }


def _to_json(card) -> str:
    if not isinstance(card, dict):
        raise ValueError(f"card: expected a dict, got {type(card).__name__}")
    try:
        return json.dumps(card, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise ValueError(f"card: expected plain JSON values: {error}") from error


def _manifest(path: str) -> dict:
    """The versions that made the export, its signatures, and hashes that equal exports share."""
    fingerprint = tf.saved_model.experimental.read_fingerprint(path)
    hashes = ("graph_def_program", "signature_def", "saved_object_graph", "checkpoint")
    return {
        "versions": {
            "tfflows": VERSION,
            "tensorflow": tf.__version__,
            "tensorflow_probability": tfp.__version__,
            "keras": keras.__version__,
        },
        "signatures": {name: str(s) for name, s in checks.signatures(path).items()},
        # In hexadecimal: the hashes have 64 bits, and JSON readers keep 53.
        "fingerprint": {
            f"{name}_hash": f"{getattr(fingerprint, f'{name}_hash'):016x}" for name in hashes
        },
    }


def _requests(model: DensityModel, functions: dict) -> dict[str, dict]:
    """A valid request of one row for each signature, from a draw of the model and its latent."""
    inputs = {"seed": row_seeds(1, seed=0), "temperature": tf.ones([1])}
    if model.context_shape is not None:
        inputs["context"] = tf.zeros([1, *model.context_shape])

    def request(name):
        specs = functions[name].structured_input_signature[0]
        return {
            spec.name: inputs.get(spec.name, tf.zeros([1, *spec.shape[1:]], spec.dtype))
            for spec in specs
        }

    inputs["x"] = functions["sample"](*request("sample").values())["samples"]
    if model.has_latents:
        inputs["z"] = functions["encode"](*request("encode").values())["z"]
    return {name: request(name) for name in functions}
