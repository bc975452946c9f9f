"""What the binaries share: flags, and errors in one line."""

from __future__ import annotations

import importlib
import re
import runpy
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging
from ml_collections import ConfigDict

from zoo import registry, usage
from zoo.configs import default

# `--help` of a command lists what it defines by way of this module.
flags.disclaim_key_flags()

_INTERRUPTED = 130  # the exit code that shells give to a process ended by Ctrl-C

_rest = []  # the command line without its flags, from `begin` to `run`


def fail(message: str) -> None:
    """Ends the process as for an error of the user's: one line on stderr, exit code 2."""
    print(f"error: {message}", file=sys.stderr, flush=True)
    sys.exit(2)


def begin(
    program: str,
    doc: str,
    required: Sequence[str] = (),
    arguments: str = "",
    light: bool = False,
) -> None:
    """Answers `--help` and checks the flags, before the command imports TensorFlow.

    A command calls it at its top, when its flags are defined; `run` comes at its end. `--config`
    may be the name of a zoo model in place of a file. An error in the flags is one line on stderr
    and exit code 2.

    Args:
      program: the command's module, as `python -m` takes it.
      doc: its docstring, which says what it does and gives examples.
      required: names of the flags that have to be given.
      arguments: what may be given beside flags, as the usage line has it; empty for nothing.
      light: the command works without TensorFlow.
    """
    help_flag = usage.asked(sys.argv)
    if help_flag:
        full = help_flag == "-helpfull"
        try:
            config = _config_of_help() if "config" in flags.FLAGS else None
        except ValueError as error:
            fail(f"config: {_one_line(error)}")
        print(usage.text(program, doc, required, arguments, config, full))
        sys.exit(0)
    app.define_help_flags()
    try:
        _rest[:] = flags.FLAGS(_with_config_file(sys.argv), known_only=False)[1:]
    except flags.Error as error:
        fail(_one_line(error))
    except Exception as error:  # a config file may raise anything
        fail(f"config: {_one_line(error)}")
    if _rest and not arguments:
        fail(f"unknown argument {_rest[0]!r}; flags are written --name=value")
    missing = [name for name in required if flags.FLAGS[name].value is None]
    if missing:
        needed = ", ".join(f"--{name}=..." for name in missing)
        fail(f"expected {needed}; python -m {program} --help says more")
    if not light:
        importlib.import_module("tfflows")  # first, as it keeps TensorFlow's notes quiet


def run(main: Callable[..., None], arguments: bool = False) -> None:
    """Runs `main` after `begin`, and turns a user's error into one line and exit code 2.

    Args:
      main: the command's work; it reads `flags.FLAGS`.
      arguments: whether `main` is given a list of what stands on the command line beside flags.
    """

    def guarded(_):
        # absl sets the flag itself, to INFO: TensorFlow then tells of every file that it writes.
        if not any(a.lstrip("-").startswith(("verbosity", "v=")) for a in sys.argv[1:]):
            logging.set_verbosity(logging.WARNING)
        try:
            main(*([list(_rest)] if arguments else []))
        except ValueError as error:
            if "\n" in str(error).strip():  # not one of ours
                raise
            fail(str(error))
        except OSError as error:
            file = error.filename
            fail(_one_line(error) if file is None else f"{file}: {error.strerror}")
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr, flush=True)
            sys.exit(_INTERRUPTED)

    app.run(guarded, flags_parser=lambda argv: argv[:1])


def _with_config_file(argv: Sequence[str]) -> list[str]:
    """The command line with the file of a model's config where its name was given."""
    place = _place_of_config(argv)
    if place is None:
        return list(argv)
    position, flag, value = place
    return [*argv[:position], f"{flag}{_config_file(value)}", *argv[position + 1 :]]


def _place_of_config(argv: Sequence[str]) -> tuple[int, str, str] | None:
    """Where the value of `--config` is, what stands before it there, and the value."""
    for position, argument in enumerate(argv):
        flag, equals, value = argument.partition("=")
        if argument == "--":
            break
        if flag in ("--config", "-config") and equals:
            return position, f"{flag}=", value
        follows = position > 0 and argv[position - 1] in ("--config", "-config")
        if follows and not argument.startswith("-"):
            return position, "", argument
    return None


def _config_file(value: str) -> str:
    path = registry.config_file(value)
    if path.parent not in (registry.CONFIGS, registry.PAPER_SIZE):  # the zoo's are tested
        _check_config_file(str(path))
    return str(path)


def _config_of_help() -> ConfigDict:
    """The config that `--help` lists: the one that `--config` names, or what all configs have."""
    place = _place_of_config(sys.argv)
    if place is not None:
        return runpy.run_path(_config_file(place[2]))["get_config"]()
    config = default.get_config(name="", summary="", family="NSF").unlock()
    config.model = ConfigDict()
    return config


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
    text = " ".join(str(error).split())
    # Python's words for what a flag of absl's cannot be read as.
    text = re.sub(r"invalid literal for int\(\) with base 10: .*", "expected a whole number", text)
    return re.sub(r"could not convert string to float: .*", "expected a number", text)


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
