"""What the binaries share: flags, and errors in one line."""

from __future__ import annotations

import os
import pathlib
import runpy
import sys
from collections.abc import Callable

from absl import app, flags, logging
from ml_collections import ConfigDict

from zoo import registry
from zoo.configs import default

# `--help` of a binary lists what it defines by way of this module.
flags.disclaim_key_flags()


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
        except Exception as error:  # a config file may raise anything
            fail(f"config: {_one_line(error)}")
        if len(rest) > 1 and not arguments:
            fail(f"unknown argument {rest[1]!r}; flags are written --name=value")
        return rest

    def guarded(rest):
        # absl sets the flag itself, to INFO: TensorFlow then tells of every file that it writes.
        if not any(a.lstrip("-").startswith(("verbosity", "v=")) for a in sys.argv[1:]):
            logging.set_verbosity(logging.WARNING)
        try:
            main(*([rest[1:]] if arguments else []))
        except ValueError as error:
            if "\n" in str(error).strip():  # not one of ours
                raise
            fail(str(error))
        except OSError as error:
            file = error.filename
            fail(_one_line(error) if file is None else f"{file}: {error.strerror}")

    app.run(guarded, flags_parser=parse)


def check_output(path: str | os.PathLike) -> None:
    """Raises a ValueError if the file of `--output` cannot be written; makes nothing."""
    path = pathlib.Path(path)
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"output: no folder {str(path.parent)!r}")
    if path.is_dir():
        raise ValueError(f"output: expected a file, but {str(path)!r} is a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"output: no permission to write to {str(path.parent)!r}")


def check_folder(name: str, path: str | os.PathLike) -> None:
    """Raises a ValueError if a folder can be neither written to nor made; makes nothing.

    Args:
      name: of the flag, for the message.
      path: the folder.
    """
    place = pathlib.Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise ValueError(f"{name}: expected a folder, but {place} is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"{name}: no permission to write to {place}")


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
        _check_config_file(value)
        return value
    registry.config(value)  # raises for an unknown name
    return str(registry.CONFIGS / f"{value}.py")


def _check_config_file(path: str) -> None:
    """Raises a ValueError if a config file does not give a config."""
    try:
        config = runpy.run_path(path)["get_config"]()
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        if isinstance(error, KeyError) and error.args == ("get_config",):
            reason = "it has no function get_config"
        raise ValueError(f"{path} cannot be read: {reason}") from None
    if not isinstance(config, ConfigDict):
        raise ValueError(
            f"{path}: expected a ConfigDict from get_config, got a {type(config).__name__}"
        )
    wanted = default.get_config(name="", summary="", family="NSF")
    wanted.unlock().model.args = ConfigDict()  # the family's own
    _check_entries(config, wanted, path)


def _check_entries(config: ConfigDict, wanted: ConfigDict, path: str, prefix: str = "") -> None:
    """Raises a ValueError for an entry that is missing, or of another type than the default's."""
    for key in wanted:
        if key not in config:
            raise ValueError(
                f"{path}: no entry '{prefix}{key}' (zoo.configs.default.get_config gives all)"
            )
        value, like = config[key], wanted[key]
        kind = (int, float) if isinstance(like, float) else type(like)
        if like is not None and not isinstance(value, kind):
            raise ValueError(
                f"{path}: '{prefix}{key}': expected {type(like).__name__}, got {value!r}"
            )
        if isinstance(like, ConfigDict):
            _check_entries(value, like, path, f"{prefix}{key}.")


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


def define_samples() -> None:
    """Defines the flag `--samples`, the K of the bound of a model of integers."""
    flags.DEFINE_integer("samples", None, "Draws of dequantization noise in one bound.")


def set_samples(model, samples: int | None) -> None:
    """Sets the number of draws in one bound, where a number is given.

    Raises:
      ValueError: if the model is not one of integers, or the number is below 1.
    """
    if samples is None:
        return
    if not hasattr(model, "samples"):
        raise ValueError(f"samples: only models of integers take it, got {samples}")
    model.samples = samples
