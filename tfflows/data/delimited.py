"""Reads text tables, .csv and .tsv, in any encoding and with any usual separator."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import gzip
import io
import itertools
import pathlib
import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np

from tfflows.data import header, numerals

FORMATS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_SPACES = r"\s+"
_SEPARATORS = (",", ";", "\t", "|", _SPACES)
_ONE = "\x1f"  # for a file of one column: no text contains it
_SAMPLE = 2**18  # characters read to find the separator and the names
_SAMPLE_LINES = 200
_NO_COMMENTS = ("#N/A", "#NA", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!")  # Excel errors
_MARKS = (  # longest first: the mark of UTF-16 is a prefix of that of UTF-32
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TextError(Exception):
    """An error in the contents of a text file that could be opened."""


@dataclasses.dataclass(frozen=True)
class Text:
    r"""A text file whose format is known.

    Attributes:
      path, encoding: the file and its character encoding.
      separator: what separates the cells; `\s+` for spaces.
      skipped: number of lines before the first line with cells.
      named: whether that line holds names.
      first: the names, from that line or from a comment before it; None if there are none.
      notices: decisions that could have gone the other way.
    """

    path: pathlib.Path
    encoding: str
    separator: str
    skipped: int
    named: bool
    first: list[str] | None
    notices: list[str]

    def read(self) -> tuple[list[np.ndarray], numerals.Style]:
        """Reads the columns `[n]`, as numbers or (if a cell is text) str, and the style of numbers.

        Raises:
          TextError: if lines differ in length, or numbers can be read in two ways.
        """
        import pandas as pd

        arguments = {
            "header": 0 if self.named else None,
            "index_col": False,
            "encoding": self.encoding,
            "sep": self.separator,
            "skipinitialspace": True,
            "skiprows": self.skipped,
            "na_filter": False,
            "low_memory": False,
        }
        with warnings.catch_warnings():
            # pandas warns of rows with more cells than names. Without index_col=False, the first
            # cells would silently become an index.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:
                frame = pd.read_csv(self.path, **arguments)
            except pd.errors.EmptyDataError:
                raise TextError("table: expected rows, got an empty file") from None
            except pd.errors.ParserError as error:
                raise TextError(f"lines: {_tokens(error)}") from None
            except pd.errors.ParserWarning:
                raise TextError(
                    f"lines: expected {len(self.first or [])} cells as in the first line, got a "
                    "line with more"
                ) from None
            columns = [_column(frame.iloc[:, i]) for i in range(frame.shape[1])]
            style = self._style(columns)
            if style.comma and any(column.dtype.kind == "f" for column in columns):
                # The decimal sign is a comma, so pandas misread the points between digits.
                frame = pd.read_csv(self.path, **arguments, dtype=str)
                columns = [
                    _column(frame.iloc[:, i]) if column.dtype.kind == "f" else column
                    for i, column in enumerate(columns)
                ]
                style = self._style(columns)
        # A separator at the end of each line makes an empty last cell.
        last = columns[-1]
        unnamed = self.first is None or not self.first[-1].strip()
        if len(columns) > 1 and unnamed and last.dtype.kind == "O" and (last == "").all():
            columns = columns[:-1]
        return [_numbers(column, style) for column in columns], style

    def names(self, width: int) -> list[str] | None:
        """Names of the first `width` columns, "" for one without; None if the file has none."""
        return None if self.first is None else [cell.strip() for cell in self.first[:width]]

    def line(self, row: int) -> tuple[int, list[str]]:
        """Number (from 1) and cells of the line on which a row (counted from 0) ends."""
        with _open(self.path, self.encoding) as file:
            lines = _cells(itertools.islice(file, self.skipped, None), self.separator)
            skip = row + 1 if self.named else row
            number, cells = next(itertools.islice(lines, skip, None))
        return self.skipped + number, cells

    def _style(self, columns: list[np.ndarray]) -> numerals.Style:
        import pandas as pd

        different = {
            self._shown(i): pd.unique(column)
            for i, column in enumerate(columns)
            if column.dtype.kind == "O"
        }
        points = any(column.dtype.kind == "f" for column in columns)
        if not any("," in cell for cells in different.values() for cell in cells):
            return numerals.Style()
        try:
            return numerals.style_of(different, points, self.separator)
        except numerals.NumeralError as error:
            raise TextError(str(error)) from None

    def _shown(self, column: int) -> str:
        name = "" if self.first is None or column >= len(self.first) else self.first[column].strip()
        return name or f"column_{column}"


def open_text(
    path: pathlib.Path, names: bool | None = None, wanted: list[str] | None = None
) -> Text:
    """Detects the format of a text file from its beginning.

    Args:
      path: the file.
      names: whether the first line holds names; None: decided by `header.decide`.
      wanted: names that the file is expected to have.

    Raises:
      TextError: if it has no lines.
    """
    encoding = _encoding(path)
    with _open(path, encoding) as file:
        sample = file.read(_SAMPLE)
    lines = list(io.StringIO(sample, newline=""))
    if len(sample) == _SAMPLE and len(lines) > 1:
        lines.pop()  # cut off
    skipped, comment, separators = 0, None, _SEPARATORS
    if path.name.lower().removesuffix(".gz").endswith(".tsv"):
        separators = ("\t", *(s for s in _SEPARATORS if s != "\t"))
    for line in lines:
        text = line.strip()
        if not skipped and text.lower().startswith("sep=") and len(text) == 5:  # from Excel
            separators = (text[4],)
        elif text.startswith("#") and not text.upper().startswith(_NO_COMMENTS):
            comment = skipped
        elif text:
            break
        skipped += 1
    rest = lines[skipped : skipped + _SAMPLE_LINES]
    if not rest:
        raise TextError("table: expected rows, got an empty file")
    separator, rows = _separator(rest, separators)
    first, body = rows[0], rows[1:]
    notices, above = [], None
    if comment is not None and names is not False:  # numpy writes names here
        text = lines[comment].strip().lstrip("#").lstrip()
        cells = next(_cells([text], separator), (0, []))[1]
        if len(cells) == len(first) and (names or header.decide(cells, rows, wanted)[0]):
            names, above = False, cells
    if names is None:
        names, notice = header.decide(first, body, wanted)
        no_or_yes = ("False", "no") if names else ("True", "yes")
        other = "header={} or --config.data.header={}".format(*no_or_yes)
        notices = [f"{notice} (if that is wrong, set {other})"] if notice else []
    if encoding == "cp1252":
        notices.append("the file is not UTF-8; reading it as Windows-1252 (Latin-1)")
    width = Counter(map(len, body)).most_common(1)[0][0] if body else len(first)
    if len(first) < width:
        raise TextError(
            f"lines: expected the same number of cells in every line, got {len(first)} in line "
            f"{skipped + 1} and {width} after it"
        )
    named = bool(names)
    return Text(path, encoding, separator, skipped, named, first if named else above, notices)


def _separator(lines: list[str], separators) -> tuple[str, list[list[str]]]:
    """The separator that best gives rows of one length and numeric cells, and those cells."""
    best = None
    for separator in (*separators, _ONE):
        if separator == _ONE and best and best[1] != _ONE and best[3]:
            break  # a line of another length suggests a damaged table, not decimal commas
        try:
            rows = [cells for _, cells in _cells(lines, separator)]
        except csv.Error:
            continue
        width, count = Counter(map(len, rows)).most_common(1)[0]
        if width == 1 and separator != _ONE:
            continue
        cells = [cell for row in rows[1:] or rows for cell in row]
        # `5 200` between commas is more likely the end of `1,5` and the start of `200,5`.
        spaces = separator != ","
        found = [numerals.is_number(cell, spaces) or numerals.is_missing(cell) for cell in cells]
        numbers = sum(found) / len(found)
        score = (count == len(rows) and numbers > 0, round(numbers, 3), count)
        if best is None or score > best[0]:
            best = score, separator, rows, len(rows[0]) == width and 2 * count > len(rows)
    return best[1], best[2]


def _cells(lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the number (from 1) of each row's last line, and its cells; skips blank lines."""
    if separator == _SPACES:
        lines = (" ".join(line.split()) for line in lines)
        separator = " "
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    for row in reader:
        if row:
            yield reader.line_num, row


def _numbers(column: np.ndarray, style: numerals.Style) -> np.ndarray:
    """The column as float64 if it holds only numbers and missing values, else unchanged."""
    if column.dtype.kind != "O":
        return column
    import pandas as pd

    codes, different = pd.factorize(column)
    values, text = numerals.parse(different, style)
    return column if text.any() else values[codes]


def _column(series) -> np.ndarray:
    """The values of a column: numbers, or str as objects."""
    if series.dtype.kind in "fiub":
        return series.to_numpy()
    return series.astype(str).to_numpy(object)


def _tokens(error: Exception) -> str:
    """What pandas says of a line, in our words where we know it."""
    text = str(error).strip().splitlines()[0]
    return text.removeprefix("Error tokenizing data. ").removeprefix("C error: ")


def _open(path: pathlib.Path, encoding: str) -> io.TextIOBase:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return open(path, encoding=encoding, newline="")


def _encoding(path: pathlib.Path) -> str:
    """The encoding: by its byte-order mark, else UTF-8 if all of the file is, else Windows's."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rb") as file:
        start = file.read(4)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        if len(start) > 1 and 0 in start[:2]:
            return "utf-16-le" if start[1] == 0 else "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        block = start
        try:
            while block:
                decoder.decode(block)
                block = file.read(2**20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            # Latin-1 defines every byte; Windows-1252 leaves five undefined.
            file.seek(0)
            blocks = iter(lambda: file.read(2**20), b"")
            odd = any(byte in block for block in blocks for byte in b"\x81\x8d\x8f\x90\x9d")
            return "latin-1" if odd else "cp1252"
    return "utf-8"
