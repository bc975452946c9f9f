"""Text files as people have them: separators, decimal signs, names, missing values, encodings."""

import gzip

import numpy as np
import pandas as pd
import pytest

from tfflows.data import header
from tfflows.data.table import read_table

X = np.random.default_rng(0).normal(size=(500, 3))
WHOLE = np.random.default_rng(1).integers(-900, 900, (500, 3))


def read(folder, text, name="t.csv", encoding="utf-8", **arguments):
    """The table of a file of that text, and what was told of it."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    told = []
    return read_table(path, tell=told.append, **arguments), " ".join(told)


# Names, or a row


@pytest.mark.parametrize("x", [X, WHOLE], ids=["real", "whole"])
@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("names", [None, [2001, 2002, 2003], [400, 410, 420]], ids=str)
def test_names_that_are_numbers(tmp_path, x, index, names):
    shift = 0 if names is None else 5000 * (x is WHOLE)  # all elsewhere than the names
    frame = pd.DataFrame(x + shift, columns=names)
    table, told = read(tmp_path, frame.to_csv(index=index))
    np.testing.assert_array_equal(table.values, x + shift)
    assert table.columns == [str(name) for name in frame.columns]
    assert "is read as column names, not as a row" in told
    assert ("'column_0' (the number of the row)" in told) == index
    table, _ = read(tmp_path, frame.to_csv(index=False), header=False)
    assert len(table.values) == 501 and table.columns == ["column_0", "column_1", "column_2"]


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("index", [False, True])
def test_one_or_two_names_that_are_numbers(tmp_path, d, index):
    table, told = read(tmp_path, pd.DataFrame(X[:, :d]).to_csv(index=index))
    np.testing.assert_array_equal(table.values, X[:, :d])
    assert "read as column names" in told


def test_names_counted_from_one(tmp_path):
    table, _ = read(tmp_path, pd.DataFrame(X, columns=[1, 2, 3]).to_csv(index=False))
    np.testing.assert_array_equal(table.values, X)


@pytest.mark.parametrize(
    "text",
    [
        "0,1,2\n1,2,3\n2,3,4\n",  # the rows go on as the first does
        "1,2\n3,4.5\n-1e3,0\n",
        "1,2,3\n4,5.5,6\n0,2,9\n",
        "0.5,1.5,2.5\n4,5,6\n",
        "5,3,1\n4,5,6\n0,3,2\n",
        "2001,2002,2003\n1999,2020,2001\n2003,1990,2010\n",  # years below, too
        "-1,0,1\n4,5.5,6\n",
        "inf,1,2\n4,5.5,6\n",
    ],
)
def test_a_first_row_of_numbers_is_a_row(tmp_path, text):
    try:
        table, _ = read(tmp_path, text)
        assert len(table.values) == text.count("\n")
    except ValueError as error:
        assert "infinity in row 0" in str(error)


def test_numbers_that_may_be_a_row_are_told(tmp_path):
    table, told = read(tmp_path, "0,1\n1,0\n1,1\n")
    assert len(table.values) == 3 and "(0, 1) is read as a row, not as column names" in told
    table, told = read(tmp_path, "0,1\n1,0\n1,1\n", header=True)
    assert table.columns == ["0", "1"] and len(table.values) == 2 and not told


def test_years_with_gaps_are_not_passed_over_in_silence(tmp_path):
    body = "".join(f"{i + 0.25},{-i - 0.5},{1000.75 + i}\n" for i in range(30))
    table, told = read(tmp_path, "2001,2003,2008\n" + body)
    assert (
        len(table.values) == 31
        and "(2001, 2003, 2008) is read as a row, not as column names" in told
    )
    assert "(if that is wrong, set header=True or --config.data.header=yes)" in told
    for whole in ("1.0,2.0,7.0\n", "3,1,7\n"):  # among rows like it, or not rising
        rows = "".join(f"{i},{2 * i},{i + 5}\n" for i in range(9)) if whole[1] == "." else body
        assert not read(tmp_path, whole + rows)[1]


def test_missing_values_are_counted_by_column(tmp_path):
    rows = "".join(f"{i},{'' if i % 3 else i},{'' if i == 4 else i}\n" for i in range(9))
    with pytest.raises(
        ValueError, match="in total 6 in 'b', 1 in 'c'; leave out these rows or columns$"
    ):
        read(tmp_path, "a,b,c\n" + rows)


@pytest.mark.parametrize("cell", ["NA", "?", "-", "", "nan", "NULL", "N/A", "#N/A", "None", "."])
@pytest.mark.parametrize("rest", [["2.5", "3.5"], ["2", "3"], []])
def test_a_first_row_with_a_missing_value(tmp_path, cell, rest):
    first = [*rest, cell] if rest else [cell or '""']
    body = "".join(",".join(str(i + j) for j in range(len(first))) + "\n" for i in range(30))
    column = f"column_{len(rest)}"
    with pytest.raises(ValueError) as error:
        read(tmp_path, ",".join(first) + "\n" + body)
    assert f"infinity in row 0 (counted from 0) (first in column {column!r})" in str(error.value)
    assert "; line 1 of the file " in str(error.value)


@pytest.mark.parametrize("text", ["1.5kg,2,3\n4,5,6\n", "4,err,6.5\n7,8,9\n", "1.5kg\n2\n3\n"])
def test_a_first_row_with_text(tmp_path, text):
    if "err" in text:  # a name could stand there, were the others names
        text = text.replace("4,", "4.25,")
    with pytest.raises(ValueError, match=r"expected numbers, got '.*' in row 0 .*; line 1 of"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "names",
    ["RI,Na,Mg", "a,b c,NA", "x,n.a.,Na", "1 Mo,2 Mo,3 Mo", "1st,b,c", "größe,<b>,%", "a,2001,2002"]
    + ["a,,c", "Na,K,-x"],
)
def test_names(tmp_path, names):
    table, _ = read(tmp_path, names + "\n1,2.5,3\n4,5.5,6\n")
    expected = [name or f"column_{i}" for i, name in enumerate(names.split(","))]
    assert table.columns == expected and len(table.values) == 2


def test_a_name_that_the_model_knows():
    first, body = ["7", "9"], [["1", "2"], ["3", "4"]]
    assert header.decide(first, body) == (False, "")
    assert header.decide(first, body, wanted=["9", "7"]) == (True, "")


def test_missing_values_and_text_further_down(tmp_path):
    for cell in ("NA", "?", "-", "null"):
        with pytest.raises(ValueError) as error:
            read(tmp_path, f"# made by hand\na,b\n\n1,2\n3,{cell}\n")
        assert "in row 1 (counted from 0) (first in column 'b')" in str(error.value)
        assert f"; line 5 of the file holds {cell!r}" in str(error.value)
    with pytest.raises(ValueError, match="column 'b': expected numbers, got '2 kg' in row 0"):
        read(tmp_path, "a,b\n1,2 kg\n3,4\n")
    with pytest.raises(ValueError, match="column 'b': expected numbers, got '1_000' in row 0"):
        read(tmp_path, "a,b\n1,1_000\n3,4\n")


def test_two_columns_of_one_name(tmp_path):
    with pytest.raises(ValueError, match="columns: expected different names, got 'a' twice"):
        read(tmp_path, "a,b,a\n1,2,3\n4,5,6\n")


# Separators and decimal signs

ROWS = [[1.5, 2.25, -3.0], [4.125, 50.0, 6.5], [0.125, 8.0, 1234.5]]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   ", ", "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_separators(tmp_path, named, name, separator, decimal):
    lines = [[f"{x}".replace(".", decimal) for x in row] for row in ROWS]
    if decimal == "," and "," in separator:
        lines = [[f'"{cell}"' for cell in row] for row in lines]
    lines = [["a", "b", "c"] * named, *lines] if named else lines
    text = "".join(separator.join(line) + "\r\n" for line in lines)
    table, told = read(tmp_path, text, name)
    np.testing.assert_array_equal(table.values, ROWS)
    assert table.columns == (["a", "b", "c"] if named else ["column_0", "column_1", "column_2"])
    assert not told


def test_frames_as_pandas_writes_them(tmp_path):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    for arguments in ({}, {"sep": ";", "decimal": ","}, {"sep": "\t"}, {"decimal": ","}):
        table, _ = read(tmp_path, frame.to_csv(index=False, **arguments))
        np.testing.assert_array_equal(table.values, X)
    for name in ("t.csv.gz", "t.tsv.gz"):
        frame.to_csv(tmp_path / name, index=False, sep="\t" if "tsv" in name else ",")
        assert gzip.open(tmp_path / name).read(1) == b"a"
        np.testing.assert_array_equal(read_table(tmp_path / name).values, X)
    np.savetxt(tmp_path / "t.csv", X, header="a b c")
    table = read_table(tmp_path / "t.csv")
    assert table.columns == ["a", "b", "c"]
    np.testing.assert_array_equal(table.values, X)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x\n1,5\n2,7\n", [[1.5], [2.7]]),  # one column
        ("1,5\n2,7\n", [[1, 5], [2, 7]]),  # of commas alone: they separate
        ("a;b\n1,5;2\n3;4,25\n", [[1.5, 2], [3, 4.25]]),
        ("a;b\n1.234,5;2,5\n3.234.567;4,25\n", [[1234.5, 2.5], [3234567, 4.25]]),
        ("a;b\n1 234,5;2,5\n3\u00a0234\u00a0567;4,25\n", [[1234.5, 2.5], [3234567, 4.25]]),
        ("a;b\n0,125;2\n1,234;5\n", [[0.125, 2], [1.234, 5]]),  # no group begins with 0
        ("a;b\n1,234;2.5\n12,345;5.5\n", [[1234, 2.5], [12345, 5.5]]),
        ('a,b\n"1,234",2\n"950",5\n', [[1234, 2], [950, 5]]),
        ('a,b\n"1,234.5",2\n"1,234,567",5\n', [[1234.5, 2], [1234567, 5]]),
        ('"a","b"\n"1","2"\n"3","4"\n', [[1, 2], [3, 4]]),
        ("a;b\n1,5e3;2,5\n-,5;+4,25\n", [[1500, 2.5], [-0.5, 4.25]]),
        ("sep=;\na;b\n1;2\n", [[1, 2]]),
        ("a,b,\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
        ("#a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("\n\na,b\n1,2\n\n3,4\n\n", [[1, 2], [3, 4]]),
    ],
)
def test_numbers_as_people_write_them(tmp_path, text, values):
    np.testing.assert_array_equal(read(tmp_path, text)[0].values, values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;b\n1,234;2\n2,345;5\n", "column 'a': '2,345' may mean 2345 or 2.345, and nothing in"),
        ("a;b\n1.5;2,5\n2.5;3,5\n", "decimal points or decimal commas, got both: '.,5' in column"),
        ("a;b\n1.234;2,5\n2.345;3,5\n", "column 'a': expected numbers, got '1.234' in rows 0, 1"),
        ('a,b\n"1,234",2\n5678,5\n', "column 'a': expected numbers, got '5678' in row 1"),
        ("a;b\n1,5,2;2\n2,5;3\n", "column 'a': expected numbers, got '1,5,2' in row 0"),
    ],
)
def test_numbers_that_can_be_read_in_two_ways(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_text_with_commas_is_not_a_decimal_comma(tmp_path):
    text = 'a,b\n1.5,"1, 2"\n2.5,"3, 4"\n'
    with pytest.raises(ValueError, match="column 'b': expected numbers, got '1, 2'"):
        read(tmp_path, text)


# Encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_encodings(tmp_path, encoding):
    table, told = read(tmp_path, "größe;zwölf\n1,5;2\n3;4\n", encoding=encoding)
    assert table.columns == ["größe", "zwölf"]
    np.testing.assert_array_equal(table.values, [[1.5, 2], [3, 4]])
    assert ("the file is not UTF-8" in told) == (encoding == "latin-1")


def test_no_encoding_is_lost_far_down(tmp_path):
    """The first byte that is not UTF-8 comes after the sample."""
    (tmp_path / "t.csv").write_bytes(b"a,b\n" + b"1,2\n" * 200_000 + b"3,\xb5\n")
    with pytest.raises(ValueError, match="column 'b': expected numbers, got 'µ' in row 200000"):
        read_table(tmp_path / "t.csv", tell=lambda _: None)
