"""What the commands share: flag handling and one-line error messages."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging
from ml_collections import ConfigDict

from zoo import limits, registry, usage
from zoo.configs import default

# Flags defined through this module count as the command's own, so that its `--help` lists them.
flags.disclaim_key_flags()

_INTERRUPTED = 130  # the exit code that shells give to a process ended by Ctrl-C

_rest = []  # the arguments that are not flags: `begin` sets them, `run` uses them


def fail(message: str) -> None:
    """Ends the process after a user's error: one line on stderr, exit code 2."""
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

    A command calls `begin` at its top, after it defines its flags, and `run` at its end. `--config`
    may be the name of a zoo model instead of a file. An error in the flags prints one line on
    stderr and exits with code 2.

    Args:
      program: the command's module, as `python -m` takes it.
      doc: the module's docstring, which says what the command does and gives examples.
      required: names of the required flags.
      arguments: arguments allowed besides flags, as the usage line shows them; empty for none.
      light: whether the command works without TensorFlow.
    """
    help_flag = usage.asked(sys.argv)
    if help_flag:
        full = help_flag == "-helpfull"
        try:
            config = _config_of_help() if "config" in flags.FLAGS else None
        except ValueError as error:
            fail(f"config: {_one_line(error)}")
        try:
            print(usage.text(program, doc, required, arguments, config, full), flush=True)
        except BrokenPipeError:
            _reader_has_left()
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
        fail(f"expected {needed}; see python -m {program} --help")
    if "config" in flags.FLAGS:
        try:
            limits.check(flags.FLAGS.config)
        except ValueError as error:
            fail(str(error))
    if not light:
        importlib.import_module("tfflows")  # first, because it silences TensorFlow's notes


def run(main: Callable[..., None], arguments: bool = False) -> None:
    """Runs `main` after `begin`, and turns a user's error into one line and exit code 2.

    Args:
      main: the command's work; it reads `flags.FLAGS`.
      arguments: whether `main` takes a list of the command-line arguments that are not flags.
    """

    def guarded(_):
        # absl sets the flag to INFO by itself; TensorFlow then reports every file that it writes.
        if not any(a.lstrip("-").startswith(("verbosity", "v=")) for a in sys.argv[1:]):
            logging.set_verbosity(logging.WARNING)
        try:
            main(*([list(_rest)] if arguments else []))
            sys.stdout.flush()
        except ValueError as error:
            if "\n" in str(error).strip():  # not one of ours
                raise
            fail(str(error))
        except BrokenPipeError:
            _reader_has_left()
        except OSError as error:
            file = error.filename
            fail(_one_line(error) if file is None else f"{file}: {error.strerror}")
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr, flush=True)
            sys.exit(_INTERRUPTED)

    app.run(guarded, flags_parser=lambda argv: argv[:1])


def _reader_has_left() -> None:
    """Ends the process as `| head` expects: it has read enough, so nothing more is said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def _with_config_file(argv: Sequence[str]) -> list[str]:
    """The command line, with a model's name in `--config` replaced by its config file."""
    place = _place_of_config(argv)
    if place is None:
        return list(argv)
    position, flag, value = place
    return [*argv[:position], f"{flag}{_config_file(value)}", *argv[position + 1 :]]


def _place_of_config(argv: Sequence[str]) -> tuple[int, str, str] | None:
    """Position of the argument that holds `--config`'s value, the text before it, and the value."""
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
    if registry.CONFIGS not in path.parents:  # the zoo's own have tests
        _check_config_file(str(path))
    return str(path)


def _config_of_help() -> ConfigDict:
    """The config that `--help` lists: that of `--config`, or the entries that all configs share."""
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
    wanted.unlock().model.args = ConfigDict()  # they depend on the family
    _check_entries(config, wanted, path)


def _check_entries(config: ConfigDict, wanted: ConfigDict, path: str, prefix: str = "") -> None:
    """Raises a ValueError if an entry is missing or has another type than the default."""
    for key in wanted:
        if key not in config:
            raise ValueError(
                f"{path}: no entry '{prefix}{key}' (zoo.configs.default.get_config sets every "
                "entry)"
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
        # From ml_collections, which nests a KeyError with the entry's name and similar names.
        text = error
        while isinstance(text, Exception):
            text = text.args[0] if text.args else ""
        name, _, near = str(text).strip().partition("\n")
        more = f". {near}" if near else "; --help lists the entries"
        return " ".join(f"no entry {name}{more}".split()).replace('"', "'")
    text = " ".join(str(error).split())
    # Python's wording when absl cannot parse the value of a flag.
    text = re.sub(r"invalid literal for int\(\) with base 10: .*", "expected a whole number", text)
    text = re.sub(r"could not convert string to float: .*", "expected a number", text)
    # ml_collections' wording for an entry that has entries of its own.
    return re.sub(
        r"Failed to parse .* as a ConfigDict: .*",
        "has entries of its own; set one of these (--help lists them)",
        text,
    )


def define_samples() -> None:
    """Defines the flag `--samples`: K, the number of draws in the bound of a model of integers."""
    flags.DEFINE_integer("samples", None, "Number of draws of dequantization noise in each bound.")


def set_samples(model, samples: int | None) -> None:
    """Sets the number of draws in one bound, if a number is given.

    Raises:
      ValueError: if the model's `log_prob` is exact, or the number is below 1.
    """
    if samples is None:
        return
    if model.samples is None:
        raise ValueError(
            f"samples: log_prob of {model.name} is exact and draws no noise, got {samples}"
        )
    model.samples = samples
