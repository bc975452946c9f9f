"""What the binaries share: flags, and errors in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from absl import app, flags, logging

from zoo import registry


def fail(message: str) -> None:
    """Ends the process as for an error of the user's: one line on stderr, exit code 2."""
    print(f"error: {message}", file=sys.stderr, flush=True)
    sys.exit(2)


def run(main: Callable[..., None], arguments: bool = False) -> None:
    """Parses flags, runs `main`, and turns a user's error into one line and exit code 2.

    `--config` may be the name of a zoo model in place of a file.

    Args:
      main: the binary's work; it reads `flags.FLAGS`.
      arguments: whether `main` is given a list of what stands on the command line beside flags.
    """

    def parse(argv):
        try:
            rest = flags.FLAGS(_with_config_file(argv), known_only=False)
        except flags.Error as error:
            fail(_one_line(error))
        except (AttributeError, KeyError, TypeError, OSError, ValueError) as error:
            fail(f"config: {_one_line(error)}")
        if len(rest) > 1 and not arguments:
            fail(f"unknown argument {rest[1]!r}; flags are written --name=value")
        return rest

    def guarded(rest):
        if flags.FLAGS["verbosity"].using_default_value:
            logging.set_verbosity(logging.WARNING)
        try:
            main(*([rest[1:]] if arguments else []))
        except ValueError as error:
            if "\n" in str(error).strip():  # not one of ours
                raise
            fail(str(error))
        except OSError as error:
            if error.filename is None:
                raise
            fail(f"{error.filename}: {error.strerror}")

    app.run(guarded, flags_parser=parse)


def _with_config_file(argv: list[str]) -> list[str]:
    """Puts the file of a model's config where its name was given."""
    found = []
    for position, argument in enumerate(argv):
        flag, equals, value = argument.partition("=")
        follows = position > 0 and argv[position - 1] in ("--config", "-config")
        if follows and not argument.startswith("-"):
            argument = _config_file(argument)
        elif flag in ("--config", "-config") and equals:
            argument = f"{flag}={_config_file(value)}"
        found.append(argument)
    return found


def _config_file(value: str) -> str:
    if value.endswith(".py"):
        if not os.path.isfile(value):
            raise ValueError(f"no file {value!r}")
        return value
    registry.config(value)  # raises for an unknown name
    return str(registry.CONFIGS / f"{value}.py")


def _one_line(error: Exception) -> str:
    """The message of an error in one line."""
    if isinstance(error, AttributeError | KeyError):
        # ml_collections': within it a KeyError of the entry's name, and what is near it.
        text = error
        while isinstance(text, Exception):
            text = text.args[0] if text.args else ""
        name, _, near = str(text).strip().partition("\n")
        return " ".join(f"no entry {name}. {near}".split()).replace('"', "'")
    return " ".join(str(error).split())
