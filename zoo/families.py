"""Default arguments of the families of models, read from their source.

A config lists every argument of its family, and a command shows and checks its config before it
imports TensorFlow, which takes seconds. So the defaults are read as `setup.py` reads the versions:
from the signatures in the source. `tfflows.models.family.Described.default_arguments` gives the
same from the classes.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib.util
import pathlib

_REGISTERED = "register_keras_serializable"
_EVENT_ARGUMENTS = 3  # event, context_dim and seed, the first of every `layers_of`
_OF_EVERY_MODEL = ("self", "dim", "seed", "name", "trainable")
_NONE = object()  # no default, or one that only a run of the module gives


@dataclasses.dataclass(frozen=True, eq=False)
class _Class:
    """What the source says of a class.

    Attributes:
      bases: names of its base classes.
      registered: whether Keras knows it by name, as it does every family.
      values: its attributes.
      signatures: of its methods: argument names to defaults.
    """

    bases: tuple[str, ...]
    registered: bool
    values: dict
    signatures: dict[str, dict]


def names() -> list[str]:
    """Names of the families."""
    return sorted(
        name
        for name, found in _classes().items()
        if found.registered and _inherited(_order(name), "default_arguments")
    )


def default_arguments(family: str) -> dict:
    """The arguments that a config may set, each with its default.

    Args:
      family: name of a class in `tfflows.models`.

    Raises:
      ValueError: if there is no such family.
    """
    _check(family)
    order = _order(family)
    own = _inherited(order, "__init__")
    kinds = [i for i, c in enumerate(order) if "_shared_arguments" in c.values]
    if kinds:
        common = _inherited(order[kinds[0] :], "__init__")
        values = {name: common[name] for name in order[kinds[0]].values["_shared_arguments"]}
        layers = list(_inherited(order, "layers_of").items())[_EVENT_ARGUMENTS:]
        own = {**dict(layers), **own}
    else:  # a baseline
        common, values = _OF_EVERY_MODEL, {}
    values |= {n: value for n, value in own.items() if n not in common and value is not _NONE}
    for found in reversed(order):
        for name, value in found.values.items():
            argument = name.removeprefix("default_")
            if argument != name and kinds:
                values[argument] = value
    return {name: value for name, value in values.items() if value is not None}


def modality(family: str) -> str:
    """The name of the modality of a family's data.

    Raises:
      ValueError: if there is no such family.
    """
    _check(family)
    return next(c.values["modality"] for c in _order(family) if "modality" in c.values)


def _check(family: str) -> None:
    if family not in names():
        raise ValueError(f"model.family: expected one of {', '.join(names())}, got {family!r}")


def _order(name: str) -> list[_Class]:
    """A class and those that it inherits from, in the order in which Python looks them up."""
    found = _classes().get(name)
    if found is None:
        return []
    order = [found]
    for base in found.bases:
        order = [c for c in order if c not in (above := _order(base))] + above
    return order


def _inherited(order: list[_Class], method: str) -> dict:
    return next((c.signatures[method] for c in order if method in c.signatures), {})


@functools.cache
def _classes() -> dict[str, _Class]:
    # Looks `tfflows` up without importing it.
    package = pathlib.Path(importlib.util.find_spec("tfflows").origin).parent
    found = {}
    for path in sorted((package / "models").glob("*.py")):
        constants = {}
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = _read(node, constants)
            elif isinstance(node, ast.Assign):
                constants |= _assigned(node, constants)
    return found


def _read(node: ast.ClassDef, constants: dict) -> _Class:
    values, signatures = {}, {}
    for part in node.body:
        if isinstance(part, ast.Assign):
            values |= _assigned(part, constants)
        if isinstance(part, ast.FunctionDef):
            signatures[part.name] = _signature(part.args, constants)
    bases = tuple(base.id for base in node.bases if isinstance(base, ast.Name))
    registered = any(_REGISTERED in ast.unparse(d) for d in node.decorator_list)
    return _Class(bases, registered, values, signatures)


def _assigned(node: ast.Assign, constants: dict) -> dict:
    value = _value(node.value, constants)
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return {} if value is _NONE else dict.fromkeys(names, value)


def _signature(arguments: ast.arguments, constants: dict) -> dict:
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    defaults = [_value(node, constants) for node in arguments.defaults]
    found = dict.fromkeys(names[: len(names) - len(defaults)], _NONE)
    found |= dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found[argument.arg] = _NONE if node is None else _value(node, constants)
    return found


def _value(node: ast.expr, constants: dict):
    """The value of an expression of literals and of constants of the module."""
    try:
        return eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": {}}, constants)
    except (NameError, TypeError, AttributeError):
        return _NONE
