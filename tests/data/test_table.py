import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tfflows.data import table
from tfflows.data.table import Table, prepare, read_table, split

ROWS = np.random.default_rng(0).normal(size=(40, 3))


def test_all_formats_give_the_same_rows(tmp_path):
    frame = pd.DataFrame(ROWS, columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    np.save(tmp_path / "t.npy", ROWS)
    np.savez(tmp_path / "t.npz", x=ROWS, y=np.arange(40))
    for name in ("t.csv", "t.parquet", "t.npy", "t.npz"):
        result = read_table(tmp_path / name)
        np.testing.assert_allclose(result.values, ROWS, rtol=1e-15)
        assert result.values.dtype == np.float64
        named = name in ("t.csv", "t.parquet")
        expected = ["a", "b", "c"] if named else ["column_0", "column_1", "column_2"]
        assert result.columns == expected


def test_csv_without_names(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("1,2\n3,4.5\n-1e3,0\n")
    result = read_table(str(path))
    np.testing.assert_array_equal(result.values, [[1, 2], [3, 4.5], [-1000, 0]])
    assert result.columns == ["column_0", "column_1"]


def test_integers_and_truth_values_are_numbers(tmp_path):
    frame = pd.DataFrame({"i": [1, 2], "b": [True, False], "f": np.float32([0.5, 1.5])})
    frame.to_parquet(tmp_path / "t.parquet")
    values = read_table(tmp_path / "t.parquet").values
    np.testing.assert_array_equal(values, [[1, 1, 0.5], [2, 0, 1.5]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,x\n4,y\n", r"column 'b': expected numbers, got 'x' in rows 1, 2"),
        ("1,2\n3,\n5,6\n,1\n", r"NaN or infinity in rows 1, 3 .*first in column 'column_1'"),
        ("1,\n3,2\n", r"NaN or infinity in row 0 .*first in column 'column_1'"),
        ("a,b\n1,inf\n", r"NaN or infinity in row 0 \(counted from 0\) \(first in column 'b'\)"),
        ("a,b\n1,NaN\n", "NaN or infinity in row 0"),
        ("a,b\n", "expected rows, got an empty table"),
        ("", "expected rows, got an empty file"),
        ("\n\n", "expected rows, got an empty file"),
        (
            "1,2\n3,4,5\n",
            "lines: expected the same number of cells in every line, got 2 in line 1 and 3 "
            "after it",
        ),
        (
            "a,b\n1,2,3\n4,5,6\n",
            "expected the same number of cells in every line, got 2 in line 1 and 3 after it",
        ),
        ("a,b\n1,2\n3,4\n5,6,7\n", "lines: Expected 2 fields in line 4, saw 3"),
        ("a,b\n1,2\n3\n5,6\n", "in row 1 .*in column 'b'.*; line 3 of the file has an empty cell"),
        ("a,b\n1,2\n3,4\n5\n", "in row 2 .*in column 'b'.*; line 4 of the file has an empty cell"),
        ('a,b\n1,"2\n3,4\n', "lines: EOF inside string"),
    ],
)
def test_bad_csv(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_table(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3), r"expected shape \[rows, columns\], got shape \[3\]"),
        (np.zeros((2, 2, 2)), r"got shape \[2, 2, 2\]"),
        (np.zeros((0, 3)), "empty table"),
        (np.zeros((3, 0)), "empty table"),
        (
            np.array([["1", "2"], ["3", "x"]]),
            "column 'column_1': expected numbers, got 'x' in row 1",
        ),
        (np.zeros((2, 2), complex), "expected numbers, got dtype complex128"),
        (np.array([[1.0, np.nan]] * 9), r"rows 0, 1, 2, 3, 4 and 4 more"),
    ],
)
def test_bad_arrays(tmp_path, array, message):
    np.save(tmp_path / "t.npy", array)
    np.savez(tmp_path / "t.npz", x=array)
    for name in ("t.npy", "t.npz"):
        with pytest.raises(ValueError, match=message):
            read_table(tmp_path / name)


def test_bad_files(tmp_path):
    with pytest.raises(ValueError, match="path: expected a file, got .*does not exist"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(
        ValueError, match=r"path: expected a file ending in \.csv, \.tsv, \.csv\.gz"
    ):
        read_table(tmp_path / "t.xlsx")
    for name in ("t.npy", "t.npz", "t.parquet"):
        (tmp_path / name).write_bytes(b"not one of these")
        with pytest.raises(ValueError, match=f"{name}: cannot be read as {name[1:]}") as error:
            read_table(tmp_path / name)
        assert "\n" not in str(error.value)
    (tmp_path / "folder.csv").mkdir()
    for name in ("folder.csv", "."):
        with pytest.raises(ValueError, match="path: expected a file, got .*, which is a folder"):
            read_table(tmp_path / name)
    for name in ("t.csv.gz", "t.tsv.gz"):
        (tmp_path / name).write_bytes(b"\x1f\x8b\x08\x00 not one of these")
        with pytest.raises(ValueError, match=f"{name}: cannot be read as {name[1:]}"):
            read_table(tmp_path / name)
    np.savez(tmp_path / "k.npz", data=ROWS)
    with pytest.raises(ValueError, match=r"expected rows under key 'x', got keys \['data'\]"):
        read_table(tmp_path / "k.npz")
    np.save(tmp_path / "o.npy", np.array([[1, "a"], [2, None]], object), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read as .npy"):
        read_table(tmp_path / "o.npy")


def test_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert read_table("~/t.csv").columns == ["a", "b"]


def test_parquet_with_text_and_dates(tmp_path):
    pd.DataFrame({"a": [1.0, 2.0], "t": ["1", "two"]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="column 't': expected numbers, got 'two' in row 1"):
        read_table(tmp_path / "t.parquet")
    pd.DataFrame({"d": pd.to_datetime(["2020-01-01"])}).to_parquet(tmp_path / "d.parquet")
    with pytest.raises(ValueError, match="column 'd': expected numbers, got datetime64"):
        read_table(tmp_path / "d.parquet")
    pd.DataFrame({"n": pd.array([1, None], "Int64")}).to_parquet(tmp_path / "n.parquet")
    with pytest.raises(ValueError, match="NaN or infinity in row 1"):
        read_table(tmp_path / "n.parquet")


def test_split_is_the_protocol():
    n = 1234
    train, validation, test = split(n)
    order = np.random.default_rng(0).permutation(n)
    np.testing.assert_array_equal(np.concatenate([train, validation, test]), order)
    assert (len(train), len(validation), len(test)) == (1000, 111, 123)
    assert [len(part) for part in split(table.MIN_ROWS)] == [9, 1, 1]
    with pytest.raises(ValueError, match="expected at least 11 rows to split, got 10"):
        split(10)


def test_prepare_takes_statistics_of_the_training_rows():
    values = ROWS * [1.0, 10.0, 0.1] + [0.0, 5.0, -3.0]
    splits = prepare(Table(values, ["a", "b", "c"]))
    train, validation, test = split(40)
    np.testing.assert_array_equal(splits.train, values[train])
    np.testing.assert_array_equal(splits.validation, values[validation])
    np.testing.assert_array_equal(splits.test, values[test])
    assert splits.train.dtype == np.float64
    np.testing.assert_allclose(splits.mean, values[train].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(splits.std, values[train].std(axis=0), rtol=1e-6)
    assert splits.columns == ["a", "b", "c"] and splits.dropped == []


def test_constant_columns():
    values = ROWS.copy()
    values[:, 1] = 7.0
    named = Table(values, ["a", "b", "c"])
    with pytest.raises(ValueError, match="got constant 'b'"):
        prepare(named)
    splits = prepare(named, drop_constant=True)
    assert splits.columns == ["a", "c"] and splits.dropped == ["b"]
    assert splits.train.shape[1] == len(splits.mean) == len(splits.std) == 2

    # Constant but for a row that is not among the training rows.
    values[split(40)[2][0], 1] = 8.0
    with pytest.raises(ValueError, match="got constant 'b'"):
        prepare(Table(values, ["a", "b", "c"]))
    # Varies in float64, not in float32.
    values[:, 1] = 1e9 + 1e-3 * ROWS[:, 1]
    splits = prepare(Table(values, ["a", "b", "c"]))
    assert splits.std[1] == pytest.approx(1e-3 * ROWS[split(40)[0], 1].std(), rel=1e-3)
    # Varies by the rounding of float64 alone.
    values[:, 1] = np.where(np.arange(40) % 2, 0.1 + 0.2, 0.3)
    with pytest.raises(ValueError, match="got constant 'b'"):
        prepare(Table(values, ["a", "b", "c"]))
    with pytest.raises(ValueError, match="only constant columns"):
        prepare(Table(np.ones((40, 2)), ["a", "b"]), drop_constant=True)


def test_columns_of_one_name_are_kept_apart():
    values = ROWS.copy()
    values[:, 1] = 7.0
    splits = prepare(Table(values, ["a", "a", "b"]), drop_constant=True)
    assert splits.columns == ["a", "b"] and splits.dropped == ["a"]


def test_prepare_refuses_what_float32_cannot_hold():
    values = ROWS.copy()
    values[5, 0] = 1e39
    with pytest.raises(
        ValueError, match=r"within the range of float32, got larger ones in row 5 .*in column 'a'"
    ):
        prepare(Table(values, ["a", "b", "c"]))
    values[5, 0] = 1e38
    assert np.isfinite(prepare(Table(values, ["a", "b", "c"])).std).all()
    with pytest.raises(ValueError, match="at least 11 rows"):
        prepare(Table(ROWS[:5], ["a", "b", "c"]))


def test_a_table_checks_itself():
    with pytest.raises(ValueError, match="columns: expected 3 names, got 2"):
        Table(ROWS, ["a", "b"])
    with pytest.raises(ValueError, match="expected real numbers, got complex128"):
        Table(ROWS.astype(complex), ["a", "b", "c"])


def test_toy_and_table_need_no_tensorflow():
    folder = os.path.dirname(table.__file__)
    code = f"""
import sys, types
sys.modules["tensorflow"] = None
for name, path in (("tfflows", {folder!r} + "/.."), ("tfflows.data", {folder!r})):
    module = types.ModuleType(name)
    module.__path__ = [path]
    sys.modules[name] = module
from tfflows.data import table, toy
toy.get("face").sample(3, seed=0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
