"""Static checks that TF Serving can run the graph and signatures of a written SavedModel."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

# What TF Serving's REST interface can write and read (it has no half, bfloat16 or complex).
_DTYPES = {tf.float32, tf.float64, tf.int32, tf.int64, tf.uint8, tf.bool, tf.string}

# A server has no Python to call, and XLA is switched off. A stateful generator repeats itself in
# every replica. A server must not print or touch files.
_FORBIDDEN_OPS = re.compile(
    r".*PyFunc.*|NumpyFunction"
    r"|Random.*|Stateful(?!PartitionedCall).*|Rng.*|Multinomial|(Parameterized)?TruncatedNormal"
    r"|NonDeterministicInts"
    r"|Xla.*"
    r"|Print(V2)?|ReadFile|WriteFile"
)
_INITIALISER = "__saved_model_init_op"


@dataclasses.dataclass(frozen=True)
class Signature:
    """Inputs and outputs of a signature.

    Attributes:
      inputs: name to `tf.TensorSpec`.
      outputs: name to `tf.TensorSpec`.
    """

    inputs: dict[str, tf.TensorSpec]
    outputs: dict[str, tf.TensorSpec]

    def __str__(self):
        return f"{_describe(self.inputs)} -> {_describe(self.outputs)}"


def _describe(specs: dict[str, tf.TensorSpec]) -> str:
    def shape(spec):
        sizes = ["?" if d is None else str(d) for d in spec.shape.as_list()]
        return ", ".join(["batch", *sizes[1:]])

    return ", ".join(f"{n} {s.dtype.name} [{shape(s)}]" for n, s in specs.items())


def signatures(path: str | os.PathLike) -> dict[str, Signature]:
    """The signatures of the SavedModel at `path`, by name, as a server reads them.

    Raises:
      ValueError: if `path` holds no SavedModel with exactly the tag `serve`.
    """
    return _signatures(_meta_graph(path))


def check(path: str | os.PathLike) -> None:
    """Checks that TF Serving can run the SavedModel at `path`, with and without batching.

    Every input and output of every signature must have the batch, of unknown size, as its first
    dimension, and a type that REST can carry. The signatures `log_prob`, `sample` and
    `serving_default` must exist. Nothing in the graph may be compiled with XLA, call Python, draw
    from a stateful generator, print or touch files.

    Args:
      path: a version folder, `DIR/<version>`.

    Raises:
      ValueError: if a check fails; the message names the first failure.
    """
    meta_graph = _meta_graph(path)
    found = _signatures(meta_graph)
    for name in ("log_prob", "sample", "serving_default"):
        if name not in found:
            raise ValueError(f"{path}: expected a signature named {name}, got {', '.join(found)}")
    for name, signature in found.items():
        _check_signature(f"{path}: signature {name}", signature)
    for place, nodes, attributes in _functions(meta_graph):
        _check_graph(f"{path}: {place}", nodes, attributes)


def _check_signature(place: str, signature: Signature) -> None:
    if not signature.inputs:
        raise ValueError(f"{place}: expected at least one input, got none")
    for kind in ("inputs", "outputs"):
        for name, spec in getattr(signature, kind).items():
            what = f"{place}: {kind[:-1]} {name}"
            if not spec.shape.rank or spec.shape[0] is not None:
                raise ValueError(
                    f"{what}: expected a first dimension of unknown size, got {spec.shape}"
                )
            if spec.dtype not in _DTYPES:
                raise ValueError(
                    f"{what}: expected a dtype that REST can carry, got {spec.dtype.name}"
                )


def _meta_graph(path):
    file = os.path.join(path, "saved_model.pb")
    saved_model = saved_model_pb2.SavedModel()
    try:
        with open(file, "rb") as stream:
            saved_model.ParseFromString(stream.read())
    except (OSError, DecodeError) as error:
        raise ValueError(
            f"path: expected a SavedModel, but {file} cannot be read: {error}"
        ) from error
    tags = [sorted(graph.meta_info_def.tags) for graph in saved_model.meta_graphs]
    if tags != [["serve"]]:
        raise ValueError(f"{path}: expected one graph with the tag serve, got {tags}")
    return saved_model.meta_graphs[0]


def _signatures(meta_graph) -> dict[str, Signature]:
    def specs(infos):
        return {
            name: tf.TensorSpec(infos[name].tensor_shape, tf.as_dtype(infos[name].dtype), name)
            for name in sorted(infos, key=lambda name: (name == "context", name))
        }

    return {
        name: Signature(specs(definition.inputs), specs(definition.outputs))
        for name, definition in sorted(meta_graph.signature_def.items())
        if name != _INITIALISER
    }


def _functions(meta_graph) -> Iterator[tuple]:
    """Yields a name for each graph, its nodes, and its attributes."""
    yield "the graph", meta_graph.graph_def.node, {}
    for function in meta_graph.graph_def.library.function:
        yield f"function {function.signature.name}", function.node_def, function.attr


def _check_graph(place: str, nodes, attributes) -> None:
    for node in nodes:
        if _FORBIDDEN_OPS.fullmatch(node.op):
            raise ValueError(f"{place} has an op that cannot be served: {node.op} ({node.name})")
    if any(_must_compile(a) for a in (attributes, *(node.attr for node in nodes))):
        raise ValueError(f"{place} is compiled with XLA (jit_compile=True), which a server refuses")


def _must_compile(attributes) -> bool:
    return "_XlaMustCompile" in attributes and attributes["_XlaMustCompile"].b
