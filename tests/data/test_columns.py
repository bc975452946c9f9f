"""Columns that are left out of a table, and columns taken by name."""

import numpy as np
import pandas as pd
import pytest

from tfflows.data import by_name, identifiers
from tfflows.data.table import read_table

N = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)


def read(folder, frame, **arguments):
    """The table of a .csv of these columns, and what was told of it."""
    pd.DataFrame(frame).to_csv(folder / "t.csv", index=False)
    told = []
    return read_table(folder / "t.csv", tell=told.append, **arguments), " ".join(told)


IDENTIFIERS = {
    "numbers of rows": ("n", np.arange(N)),
    "from 1, shuffled": ("whatever", RNG.permutation(N) + 1),
    "from 1000": ("whatever", 1000 + np.arange(N)),
    "named": ("customer_id", RNG.permutation(10_000)[:N]),
    "camel case": ("customerId", RNG.permutation(10_000)[:N]),
    "large": ("ID", 10**15 + 1000 * RNG.permutation(N)),
    "index": ("Index", 3 * np.arange(N)),
    "text": ("who", [f"P{i:03}" for i in range(N)]),
    "dates": ("day", pd.date_range("2020-01-01", periods=N).astype(str)),
    "hexadecimal": ("commit", [f"3f2b{i:04x}" for i in range(N)]),
}


@pytest.mark.parametrize("name, column", IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_identifiers_are_left_out(tmp_path, name, column):
    table, told = read(tmp_path, {"a": X, name: column, "b": X + 1})
    assert table.columns == ["a", "b"] and list(table.left_out) == [name]
    assert table.all_columns == ["a", name, "b"]
    assert f"left out: {name!r} ({table.left_out[name]})" in told
    np.testing.assert_array_equal(table.values, np.stack([X, X + 1], 1))
    if np.asarray(column).dtype.kind == "i":
        table, told = read(tmp_path, {"a": X, name: column}, keep_identifiers=True)
        np.testing.assert_array_equal(table.values[:, 1], column)
        assert not told and not table.left_out
    else:
        with pytest.raises(ValueError, match=f"column '{name}': expected numbers, got "):
            read(tmp_path, {"a": X, name: column}, keep_identifiers=True)


MEASUREMENTS = {
    "prices, all different": ("price", RNG.permutation(10_000)[:N]),
    "a price index": ("price_index", RNG.permutation(10_000)[:N]),
    "rising": ("seconds", np.cumsum(RNG.integers(1, 9, N))),
    "numbers that repeat": ("id", RNG.integers(0, 30, N)),
    "with fractions": ("id", X),
    "words that end in id": ("humid", RNG.permutation(10_000)[:N]),
    "not consecutive by one": ("n", np.append(np.arange(N - 1), N)),
    "truth values": ("id", np.arange(N) % 2 == 0),
}


@pytest.mark.parametrize("name, column", MEASUREMENTS.values(), ids=MEASUREMENTS)
def test_measurements_stay(tmp_path, name, column):
    table, told = read(tmp_path, {"a": X, name: column})
    np.testing.assert_array_equal(table.values[:, 1], column)
    assert not told and not table.left_out


@pytest.mark.parametrize(
    "column",
    [
        ["red", "green"] * (N // 2),
        [f"{x:.2f}kg" for x in X],
        [f"{i + 1} %" for i in range(N)],
        ["six", *map(str, range(1, N))],
        ["", *(f"P{i}" for i in range(1, N))],
    ],
)
def test_text_that_is_no_identifier_is_an_error(tmp_path, column):
    with pytest.raises(ValueError, match=r"column 't': expected numbers, got '.+' in rows? \d"):
        read(tmp_path, {"a": X, "t": column})


def test_columns_of_text_are_named_together(tmp_path):
    days, colours = ["2024-05-01", "2024-05-02"] * (N // 2), ["red", "blue"] * (N // 2)
    with pytest.raises(ValueError, match="column 'day': .* and text in 'colour' too; leave out"):
        read(tmp_path, {"a": X, "day": days, "colour": colours})


def test_other_arrays_of_a_file_are_told(tmp_path):
    told = []
    np.savez(tmp_path / "t.npz", x=np.stack([X, X + 1], 1), y=X)
    assert read_table(tmp_path / "t.npz", tell=told.append).values.shape == (N, 2)
    assert told == ["t.npz: ignored: 'y' (the rows are under 'x')"]


def test_the_index_of_a_frame(tmp_path):
    frame = pd.DataFrame({"a": X[:5], "b": X[5:10]})
    for index in (None, ["v", "w", "x", "y", "z"]):
        frame.set_axis(index or range(5)).to_csv(tmp_path / "t.csv")
        table = read_table(tmp_path / "t.csv", tell=lambda _: None)
        assert table.columns == ["a", "b"] and list(table.left_out) == ["column_0"]
    # Written twice.
    frame.to_csv(tmp_path / "t.csv")
    pd.read_csv(tmp_path / "t.csv").to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv", tell=lambda _: None)
    assert table.left_out == {"Unnamed: 0": "the number of the row"}


def test_identifiers_of_arrays(tmp_path):
    np.save(tmp_path / "t.npy", np.stack([X, RNG.permutation(N)], 1))
    table = read_table(tmp_path / "t.npy", tell=lambda _: None)
    assert table.left_out == {"column_1": "the whole numbers from 0 to 39, each once"}
    np.save(tmp_path / "t.npy", np.arange(N)[:, None])
    with pytest.raises(
        ValueError, match="got only identifiers: 'column_0' holds the whole numbers"
    ):
        read_table(tmp_path / "t.npy")
    with pytest.warns(UserWarning, match="left out: 'n'"):
        pd.DataFrame({"a": X, "n": range(N)}).to_parquet(tmp_path / "t.parquet")
        assert read_table(tmp_path / "t.parquet").columns == ["a"]


def test_few_rows_prove_nothing():
    assert identifiers.reason("a", np.arange(10), first=True) == ""
    assert identifiers.reason("a", np.arange(11), first=True)


# By name


def test_columns_by_name(tmp_path):
    columns = {"b": X, "word": ["a", "b"] * (N // 2), "id": range(N), "a": X + 1, "c": X + 2}
    table, told = read(tmp_path, columns, columns=["c", "b", "id"])
    assert table.columns == ["c", "b", "id"]
    np.testing.assert_array_equal(table.values, np.stack([X + 2, X, np.arange(N)], 1))
    assert "left out: 'word', 'a' (not among the requested columns)" in told
    with pytest.raises(ValueError, match="expected 'c', 'd', 'e' by name, missing 'd', 'e', got "):
        read(tmp_path, columns, columns=["c", "d", "e"])


def test_columns_by_position(tmp_path):
    rows = np.stack([X, X + 1, X + 2], 1)
    np.save(tmp_path / "t.npy", rows)
    model = {"columns": ["a", "c"], "original": ["a", "b", "c"], "tell": lambda _: None}
    np.testing.assert_array_equal(read_table(tmp_path / "t.npy", **model).values, rows[:, [0, 2]])
    np.save(tmp_path / "t.npy", rows[:, :2])
    np.testing.assert_array_equal(read_table(tmp_path / "t.npy", **model).values, rows[:, :2])
    # The index that pandas writes beside the columns does not count.
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", header=False)
    np.testing.assert_array_equal(read_table(tmp_path / "t.csv", **model).values, rows[:, [0, 2]])
    nameless = {"columns": ["column_0", "column_1", "column_2"], "tell": lambda _: None}
    pd.DataFrame(rows, columns=list("xyz")).to_csv(tmp_path / "t.csv")
    np.testing.assert_array_equal(read_table(tmp_path / "t.csv", **nameless).values, rows)
    np.save(tmp_path / "t.npy", np.tile(rows, 2))
    with pytest.raises(
        ValueError, match=r"columns: expected 2 or 3 \(matched by position.*, got 6"
    ):
        read_table(tmp_path / "t.npy", **model)


def test_positions():
    assert by_name.positions(["b", "a", "x"], 3, ["a", "b"]) == [1, 0]
    assert by_name.positions(["b", "a"], 2, ["column_0", "column_1"]) == [0, 1]
    assert by_name.positions(["column_1", "column_0"], 2, ["column_0", "column_1"]) == [1, 0]
    assert by_name.positions(None, 3, ["column_0", "column_2"], ["column_0", "x", "column_2"]) == [
        *(0, 2)
    ]
    with pytest.raises(ValueError, match="columns: expected different names, got 'a' twice"):
        by_name.positions(["a", "a"], 2, ["a"])
    # Another column may stand twice.
    assert by_name.positions(["b", "a", "b"], 3, ["a"]) == [1]
