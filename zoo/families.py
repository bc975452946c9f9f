"""Default arguments of the families of models, read from their source.

A config lists every argument of its family. A command shows and checks its config before it imports
TensorFlow, which takes seconds. So the defaults are read from the signatures in the source, as
`setup.py` reads the versions. `tfflows.models.described.Described.default_arguments` reads the same
defaults from the classes.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib.util
import pathlib

_REGISTERED = "register_keras_serializable"
_DESCRIBED = "Described"  # the base of all classes that plain values describe
_NO_ENTRIES = "NO_ENTRIES"  # in that module: arguments that a config does not set
_NONE = object()  # no default, or one that is known only once the module runs


@dataclasses.dataclass(frozen=True, eq=False)
class _Class:
    """What the source says about a class.

    Attributes:
      bases: names of its base classes.
      registered: whether Keras knows it by name, as it does every family.
      described: whether plain values describe it.
      values: its attributes.
      signatures: method name to that method's argument names and their defaults.
    """

    bases: tuple[str, ...]
    registered: bool
    described: bool
    values: dict
    signatures: dict[str, dict]


def names() -> list[str]:
    """Names of the families."""
    return sorted(
        name for name, found in _classes().items() if found.registered and found.described
    )


def default_arguments(family: str) -> dict:
    """The arguments that a config may set, each with its default.

    Args:
      family: name of a class in `tfflows.models`.

    Raises:
      ValueError: if there is no such family.
    """
    _check(family)
    order, values = _order(family), {}
    signatures = [c.signatures.get("__init__", {}) for c in reversed(order) if c.described]
    for signature in (*signatures, _inherited(order, "layers_of")):
        values |= {name: value for name, value in signature.items() if value is not _NONE}
    values = {name: value for name, value in values.items() if name not in _no_entries()}
    for found in reversed(order):
        for name, value in found.values.items():
            argument = name.removeprefix("default_")
            if argument == name:
                continue
            if isinstance(value, dict):  # a subclass sets some of the entries
                value = (values.get(argument) or {}) | value
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
    """A class and its base classes, in Python's lookup order."""
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
def _modules() -> dict[str, tuple[list[ast.stmt], dict]]:
    """Statements and constants of each module of `tfflows.models`, without importing it."""
    package = pathlib.Path(importlib.util.find_spec("tfflows").origin).parent
    found = {}
    for path in sorted((package / "models").rglob("*.py")):
        body, constants = ast.parse(path.read_text("utf-8")).body, {}
        for node in body:
            if isinstance(node, ast.Assign):
                constants |= _assigned(node, constants)
        found[str(path)] = body, constants
    return found


def _no_entries() -> set[str]:
    return next(c[_NO_ENTRIES] for _, c in _modules().values() if _NO_ENTRIES in c)


@functools.cache
def _classes() -> dict[str, _Class]:
    nodes = {
        node.name: (node, constants)
        for body, constants in _modules().values()
        for node in body
        if isinstance(node, ast.ClassDef)
    }

    def is_described(name: str) -> bool:
        bases = _bases(nodes[name][0]) if name in nodes else ()
        return name == _DESCRIBED or any(map(is_described, bases))

    return {name: _read(*nodes[name], is_described(name)) for name in nodes}


def _bases(node: ast.ClassDef) -> tuple[str, ...]:
    return tuple(base.id for base in node.bases if isinstance(base, ast.Name))


def _read(node: ast.ClassDef, constants: dict, described: bool) -> _Class:
    values, signatures = {}, {}
    for part in node.body:
        if isinstance(part, ast.Assign):
            values |= _assigned(part, constants)
        if isinstance(part, ast.FunctionDef):
            signatures[part.name] = _signature(part.args, constants)
    registered = any(_REGISTERED in ast.unparse(d) for d in node.decorator_list)
    return _Class(_bases(node), registered, described, values, signatures)


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
    """The value of an expression made of literals and constants of the module."""
    try:
        return eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": {}}, constants)
    except (NameError, TypeError, AttributeError):
        return _NONE
