"""Fills in what stored configs of earlier versions lack.

A config.json gives the version of its schema; one without a version predates versions and is
version 0. For an entry that is added later, a step here fills in what the code did before the entry
existed. So shipped models, work directories and resumed runs stay as they are. A version also
begins when a config of the zoo gets another default.
"""

from __future__ import annotations

import copy

from ml_collections import ConfigDict

from zoo import families

VERSION = 3

# Entries that a resumed run may change, because they do not say what the model is.
MAY_CHANGE = {
    *("train.steps", "train.eval_every", "train.checkpoint_every", "train.patience"),
    *("train.steps_per_execution", "train.jit_compile"),
    *("summary", "paper.title", "paper.url", "paper.result"),
}


# Entries of dequantization, by their arguments of version 1.
_NOISE = {"dequantization": "kind"} | {
    f"dequantization_{name}": name
    for name in ("layers", "width", "blocks", "components", "heads", "design")
}
MOVED = {f"model.args.{old}": f"model.args.dequantization.{new}" for old, new in _NOISE.items()}


def current(values: dict) -> dict:
    """A stored config as this version would have stored it.

    Raises:
      ValueError: if it is not a config, or is one of a later version.
    """
    parts = (values.get(name) for name in ("model", "data", "train"))
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError("expected a config with model, data and train")
    version = values.get("schema", 0)
    if not isinstance(version, int) or not 0 <= version <= VERSION:
        raise ValueError(
            f"expected a schema of at most {VERSION}, got {version!r}, from a later version of "
            "tfflows"
        )
    values = copy.deepcopy(values)
    for step in _STEPS[version:]:
        step(values)
    return values | {"schema": VERSION}


def as_begun(
    config: ConfigDict, stored: dict, default: dict
) -> tuple[ConfigDict, dict[str, object]]:
    """A config with the defaults of the version that began a run.

    Args:
      config: the config of the command that resumes the run.
      stored: the config that the run began with, as stored.
      default: today's config of that name, in plain values; empty if there is none.

    Returns:
      The config, with the run's values for entries that are at today's defaults and for entries
      that the stored config lacks, other than those of `MAY_CHANGE`; and the values that replaced
      others. If this version began the run, the config as it is and no values.
    """
    config, replaced = config.copy_and_resolve_references(), {}
    if stored.get("schema", 0) == VERSION:
        return config, replaced
    there, today = flat(current(stored)), flat(default)
    lacking = there.keys() - {MOVED.get(key, key) for key in flat(stored)}
    for key, value in flat(config.to_dict()).items():
        is_default = key in today and _plain(value) == _plain(today[key])
        if key not in there or key in MAY_CHANGE or not (key in lacking or is_default):
            continue
        if _plain(value) == there[key]:
            continue
        *path, last = key.split(".")
        part = config
        for name in path:
            part = part[name]
        with part.ignore_type():
            part[last] = replaced[key] = there[key]
    return config, replaced


def flat(values: dict, prefix: str = "") -> dict:
    """Entries by their full names, such as `data.path`."""
    found = {}
    for key, value in values.items():
        inner = isinstance(value, dict)
        found |= flat(value, f"{prefix}{key}.") if inner else {prefix + key: value}
    return found


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def _version_1(values: dict) -> None:
    """In version 0, tables kept identifiers and had no cells or marginals; networks had relu."""
    data = {"header": "auto", "keep_identifiers": True}
    data |= {"height": 0, "width": 0, "channels": 0, "crop": "center", "resize": "area"}
    values["data"] = data | values["data"]
    values["train"] = {"ema": 0.0, "patience": 0} | values["train"]
    family = values["model"]["family"]
    if family in families.names():
        added = {"dequantize": False, "marginals": 0, "activation": "relu"}
        known = families.default_arguments(family)
        added = {name: value for name, value in added.items() if name in known}
        values["model"]["args"] = added | values["model"]["args"]


def _version_2(values: dict) -> None:
    """In version 1, each entry of `model.args.dequantization` was an argument."""
    arguments = values["model"]["args"]
    found = {new: arguments.pop(old) for old, new in _NOISE.items() if old in arguments}
    if found:
        arguments["dequantization"] = found


def _version_3(values: dict) -> None:
    """In version 2, there was no text."""
    values["data"] = {"length": 0} | values["data"]


_STEPS = (_version_1, _version_2, _version_3)
