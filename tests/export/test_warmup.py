"""Warm-up requests: good ones, in the container that TF Serving reads, or none."""

import os
import sys

import numpy as np
import pytest
import tensorflow as tf

import export
from export import warmup


def test_every_signature_has_a_request_that_it_answers(exported):
    pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    requests = warmup.read(exported.path)
    assert set(requests) == set(exported.signatures)
    for name, signature in exported.signatures.items():
        (output,) = signature(**requests[name]).values()
        assert output.shape[0] == 1 and np.isfinite(output.numpy()).all(), name


def test_a_request_names_the_model(model, tmp_path):
    log = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    path = export.save(model, tmp_path, card={"name": "moons"})
    for record in tf.data.TFRecordDataset(os.path.join(path, warmup.FILE)):
        request = log.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "moons"


def test_without_the_extra_none_are_written(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    path = export.save(model, tmp_path)
    assert os.listdir(os.path.join(path, "assets.extra")) == ["card.json"]
