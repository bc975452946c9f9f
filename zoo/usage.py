"""What `--help` of a command prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from absl import flags
from ml_collections import ConfigDict

from zoo.configs import default

_WIDTH = 96
_FULL = "-helpfull"
_ASKS = {"-help", "-h", "-?", "-helpshort", _FULL}

# Packages that define flags of their own; all other flags are a command's.
_OTHERS = ("absl", "tensorflow", "ml_collections", "etils")


def asked(argv: Sequence[str]) -> str | None:
    """The flag that asks for help, with one dash; `None` if none does."""
    given = argv[1 : argv.index("--")] if "--" in argv else argv[1:]
    wanted = [f"-{argument.lstrip('-')}" for argument in given if argument.startswith("-")]
    return next((argument for argument in wanted if argument in _ASKS), None)


def text(
    program: str,
    doc: str,
    required: Sequence[str] = (),
    arguments: str = "",
    config: ConfigDict | None = None,
    full: bool = False,
) -> str:
    """The help of a command.

    Args:
      program: the command's module, as `python -m` takes it.
      doc: the docstring of the module.
      required: names of the required flags.
      arguments: arguments allowed besides flags, for the usage line.
      config: the config whose entries are listed, for a command that takes one.
      full: add absl's own flags.
    """
    needed = "".join(f" --{name}=..." for name in required)
    arguments = f" {arguments}" if arguments else ""
    lines = [f"usage: python -m {program}{arguments}{needed} [--flag=value ...]", "", doc.strip()]
    lines += ["", "Flags:"]
    for flag in _own_flags():
        lines += _described(_shown(flag), _help(flag, flag.name in required))
    if config is not None:
        lines += ["", *_entries(config)]
    if full:
        lines += ["", flags.FLAGS.get_help()]
    else:
        lines += ["", "--helpfull lists the flags of absl too."]
    return "\n".join(lines)


def _own_flags() -> list[flags.Flag]:
    modules = flags.FLAGS.flags_by_module_dict().items()
    found = [flag for module, own in modules if not module.startswith(_OTHERS) for flag in own]
    # The entries of a config are flags too, but are listed separately.
    return [flag for flag in found if not flag.name.startswith("config.")]


def _shown(flag: flags.Flag) -> str:
    return f"--[no]{flag.name}" if flag.boolean else f"--{flag.name}"


def _help(flag: flags.Flag, required: bool) -> str:
    text = " ".join(flag.help.split())
    if required:
        return f"{text} Required."
    # A list's default is shown as it is written on the command line.
    default = flag.default_as_str if flag.default is not None and not flag.boolean else None
    return text if default is None else f"{text} Default: {default.strip(chr(39))}."


def _described(name: str, text: str, column: int = 20) -> list[str]:
    indent = " " * column
    lines = textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    head = f"  {name}"
    if lines and len(head) < column - 1:
        lines[0] = head + lines[0][len(head) :]
        return lines
    return [head, *lines]


def _entries(config: ConfigDict) -> Iterable[str]:
    """The entries of a config that a flag can set, with their values."""
    yield f"Entries of the config{f' {config.name}' if config.name else ''}, with their values:"
    for group in ("model", "data", "train"):
        if group == "model" and not config.name:
            yield from _described(
                "--config.model.args.X=VALUE",
                "An argument of the model; --config=NAME --help lists them.",
                42,
            )
        for key, value in _flat(config[group].to_dict(), group):
            meaning = default.MEANINGS.get(key, "")
            yield from _described(f"--config.{key}={_written(value)}", meaning, 42)


def _flat(values: dict, prefix: str) -> Iterable[tuple[str, object]]:
    for key, value in values.items():
        name = f"{prefix}.{key}"
        if isinstance(value, dict):
            yield from _flat(value, name)
        else:
            yield name, value


def _written(value) -> str:
    """A value as it is given on the command line."""
    if isinstance(value, tuple | list):
        return f'"{value}"'
    return "" if value is None else str(value)
