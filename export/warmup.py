"""Warm-up requests, which TF Serving replays before a version takes traffic."""

from __future__ import annotations

import os

import tensorflow as tf

# Where TF Serving looks, inside the version folder.
FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")


def write(path: str | os.PathLike, model_name: str, requests: dict[str, dict]) -> bool:
    """Writes one request per signature into the version folder `path`.

    TF Serving refuses a version if any of its warm-up requests fails, so each must be valid.

    Args:
      path: the version folder.
      model_name: name of the model in the requests.
      requests: maps each signature to its inputs, a dict from name to tensor.

    Returns:
      False, with nothing written, if tensorflow_serving (the extra `serving`) is missing.
    """
    try:
        from tensorflow_serving.apis import prediction_log_pb2
    except ImportError:
        return False
    file = os.path.join(path, FILE)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with tf.io.TFRecordWriter(file) as writer:
        for signature, inputs in requests.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString(deterministic=True))
    return True


def read(path: str | os.PathLike) -> dict[str, dict[str, tf.Tensor]]:
    """Reads the warm-up requests of the version folder `path`, as `write` takes them."""
    from tensorflow_serving.apis import prediction_log_pb2

    requests = {}
    for record in tf.data.TFRecordDataset(os.path.join(path, FILE)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        requests[request.model_spec.signature_name] = {
            name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()
        }
    return requests
