"""The script that scores rows with an export: its errors in one line (the demo runs it whole)."""

import contextlib
import io
import runpy
import sys
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import binaries

SCRIPT = str(binaries.ROOT / "export" / "score.py")


class Density(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def log_prob(self, x):
        return {"log_prob": -tf.reduce_sum(x, axis=-1)}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("export"), Density()
    tf.saved_model.save(model, str(folder), signatures={"log_prob": model.log_prob})
    np.save(folder / "rows.npy", np.ones([5, 2], np.float32))
    np.save(folder / "wide.npy", np.ones([5, 3], np.float32))
    np.save(folder / "text.npy", np.array(["a", "b"]))
    (folder / "junk.npy").write_bytes(b"junk")
    (folder / "junk").mkdir()
    (folder / "junk" / "saved_model.pb").write_bytes(b"junk")
    return folder


def score(*arguments):
    out, errors = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", [SCRIPT, *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            runpy.run_path(SCRIPT, run_name="__main__")
        except SystemExit as end:
            return end.code, errors.getvalue()
    return 0, out.getvalue()


def test_scores(export, tmp_path):
    code, output = score(export, export / "rows.npy", tmp_path / "scores.npy")
    assert code == 0 and "scored 5 rows" in output
    np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), np.full(5, -2.0))


def test_every_row_is_scored_in_its_place(export, tmp_path):
    """More rows than a request holds."""
    rows = np.random.default_rng(0).normal(size=(4096 + 5, 2)).astype("float32")
    np.save(tmp_path / "rows.npy", rows)
    code, output = score(export, tmp_path / "rows.npy", tmp_path / "scores.npy")
    assert code == 0 and "scored 4101 rows" in output
    np.testing.assert_allclose(np.load(tmp_path / "scores.npy"), -rows.sum(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "model, rows, scores, message",
    [
        ("nowhere", "rows.npy", "scores.npy", "model: expected the folder of an export"),
        ("junk", "rows.npy", "scores.npy", ""),
        ("", "nowhere.npy", "scores.npy", "rows: "),
        ("", "junk.npy", "scores.npy", "rows: "),
        ("", "text.npy", "scores.npy", "rows: expected numbers"),
        ("", "wide.npy", "scores.npy", "rows: "),
        ("", "rows.npy", "nowhere/scores.npy", "scores: the folder"),
    ],
)
def test_errors(export, tmp_path, model, rows, scores, message):
    code, errors = score(export / model, export / rows, tmp_path / scores)
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert code == 2 and len(lines) == 1 and lines[0].startswith(f"error: {message}")
    assert errors.splitlines()[-1] == lines[0] and "Traceback" not in errors


def test_number_of_arguments():
    assert score("one") == (2, "error: expected three arguments: MODEL_DIR/1 ROWS.npy SCORES.npy\n")
