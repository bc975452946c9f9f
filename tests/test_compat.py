"""Private names of other packages: all in one module, and all there."""

import pathlib
import re

import tensorflow as tf

from tfflows import compat

ROOT = pathlib.Path(compat.__file__).parents[1]
# Modules of these packages, and attributes of theirs, that begin with an underscore.
PRIVATE = [
    r"(?:from|import) (?:tensorflow|tensorflow_probability|keras|tf_keras)\.(?:python|src)\b",
    r"\b_(?:flatten|track_variable|clip_gradients|model_variables_moving_average)\b",
    r"\b_cache\.|\b_(?:non_)?trainable_variables\b",
]


def test_no_private_name_is_gone():
    assert compat.missing() == []


def test_one_that_moved_is_named(monkeypatch):
    monkeypatch.delattr(tf.Module, "_flatten")
    assert "tf.Module._flatten" in compat.missing()


def test_private_names_are_used_in_one_module():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for package in ("tfflows", "zoo", "export")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "compat.py"
        for pattern in PRIVATE
        for match in re.finditer(pattern, path.read_text())
    ]
    assert found == []
