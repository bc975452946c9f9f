"""Distribution strategies by name."""

from __future__ import annotations

import json
import os

import tensorflow as tf

NAMES = ("auto", "one", "mirrored", "multi_worker", "tpu")


def choose(name: str = "one") -> tf.distribute.Strategy:
    """Returns the strategy of the given name.

    Call it before doing anything else with TensorFlow: several workers must find each other first.

    Args:
      name: `one` device; `mirrored` over all GPUs of this machine, or its logical CPUs;
        `multi_worker`, as set by TF_CONFIG in the environment; `tpu`; `auto` takes the first
        available of several workers, a TPU, several GPUs, one device.

    Raises:
      ValueError: for another name, `multi_worker` without TF_CONFIG, or `tpu` without a TPU.
    """
    if name not in NAMES:
        raise ValueError(f"strategy: expected one of {', '.join(NAMES)}, got {name!r}")
    if name == "auto":
        name = _found()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if name == "multi_worker":
        if not _workers():
            raise ValueError(
                "strategy: multi_worker expects the cluster in the environment variable TF_CONFIG,"
                " got none"
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        return _tpu()
    return tf.distribute.get_strategy()


def _found() -> str:
    if _workers() > 1:
        return "multi_worker"
    if tf.config.list_physical_devices("TPU"):
        return "tpu"
    return "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "one"


def _workers() -> int:
    """Number of workers in TF_CONFIG; 0 if it is not set."""
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return 0
    try:
        cluster = json.loads(text).get("cluster", {})
        return sum(len(cluster.get(role, ())) for role in ("chief", "worker"))
    except (json.JSONDecodeError, AttributeError):
        raise ValueError(
            f"TF_CONFIG: expected JSON of a cluster and a task, got {text!r}"
        ) from None


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError):
        raise ValueError("strategy: tpu expects a TPU, found none") from None
    return tf.distribute.TPUStrategy(resolver)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return True
    task, number = resolver.task_type, resolver.task_id
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return task is None or task == "chief" or (task == "worker" and number == 0 and not has_chief)


def share(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Marks a data set of global batches so that several workers split each batch."""
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    return dataset.with_options(options)
