import json

import keras
import numpy as np
import pytest

from tfflows import files
from tfflows.training import checkpoint


def variables(*shapes):
    return [
        keras.Variable(np.full(shape, i + 1.0), dtype="float32") for i, shape in enumerate(shapes)
    ]


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.txt"
    files.write(path, lambda p: p.write_text("one"))
    files.write(path, lambda p: p.write_text("two"))
    assert path.read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write(temporary):
        temporary.write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        files.write(path, write)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_json_without_nan(tmp_path):
    files.write_json(tmp_path / "a.json", {"x": 1})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 1}
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "b.json", {"x": float("nan")})
    assert not (tmp_path / "b.json").exists()


def test_leftovers_are_removed(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / ".tmp-7-checkpoint.npz").write_text("half")
    (tmp_path / "pictures" / ".a.png.7.tmp").write_text("half")
    (tmp_path / "kept.txt").write_text("whole")
    files.clean(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["kept.txt"]


def test_variables_and_state_come_back(tmp_path):
    path = tmp_path / "c.npz"
    saved = [*variables([2, 3], []), keras.Variable(7, dtype="int32")]
    checkpoint.save_state(path, saved, {"step": 5, "best": {"loss": 0.1}})
    fresh = [*variables([2, 3], []), keras.Variable(0, dtype="int32")]
    for variable in fresh:
        variable.assign(variable * 0)
    state = checkpoint.restore_state(path, fresh)
    assert state == checkpoint.read_state(path) == {"step": 5, "best": {"loss": 0.1}}
    for a, b in zip(saved, fresh, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_another_models_checkpoint_is_refused_and_nothing_is_assigned(tmp_path):
    path = tmp_path / "c.npz"
    checkpoint.save_state(path, variables([2], [3]), {"step": 1})
    fresh = variables([2], [4])
    fresh[0].assign([8.0, 8.0])
    with pytest.raises(ValueError, match="from another model"):
        checkpoint.restore_state(path, fresh)
    np.testing.assert_array_equal(fresh[0].numpy(), [8.0, 8.0])


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_damaged_file(tmp_path, content):
    path = tmp_path / "c.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.read_state(path)


def test_file_without_state(tmp_path):
    np.savez(tmp_path / "c.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.read_state(tmp_path / "c.npz")
