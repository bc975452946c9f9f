"""Files of SMILES: formats, headings, lines that cannot be read, and what is told about them."""

import gzip
import sys

import numpy as np
import pytest

from tfflows.data import graphs, molecules, smiles_files

pytest.importorskip("rdkit")


def read(folder, text, name="m.smi", **arguments):
    path = folder / name
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return smiles_files.read(path, **arguments)


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("m.smi", "CCO ethanol\n\n  C#N\thydrogen cyanide\n", [1, 3]),
        ("m.smi", "\nsmiles name\nCCO ethanol\nC#N\n", [3, 4]),
        ("M.SMI.gz", "CCO\r\nC#N\r\n\r\n", [1, 2]),
        ("m.csv.smi", "CCO\nC#N\n", [1, 2]),
        ("m.csv", "id,smiles\n1,CCO\n\n2,C#N\n", [2, 4]),
        ("m.csv", "\ufeffSmiles,id\nCCO,1\nC#N,2\n", [2, 3]),
        ("m.csv", 'id, SMILES ,note\n1,CCO,"two\nlines"\n2, C#N ,\n', [3, 4]),
        ("m.csv.gz", '"smiles"\n"CCO"\n"C#N"', [2, 3]),
    ],
)
def test_formats(tmp_path, name, text, lines):
    found = read(tmp_path, text, name)
    assert found.smiles == ["CCO", "C#N"]
    assert found.lines.tolist() == lines
    assert found.found == 2 and found.left_out == {} and found.unreadable == []
    assert found.vocabulary == molecules.Vocabulary(
        (("C", 0), ("N", 0), ("O", 0)), ("single", "triple"), 3
    )
    # C C O with bonds 01 and 12; C N with a triple bond.
    np.testing.assert_array_equal(found.vectors, [[1, 1, 3, 1, 0, 1], [1, 2, 0, 2, 0, 0]])


def test_what_is_left_out_is_counted(tmp_path):
    text = "CCO\nC(\n[CH3]\nCC.O\nCS\nOCC\nC1CC\n[CH3]C[CH2]\nF/C=C/F\n"
    found = read(tmp_path, text, may_fail=0.5)
    assert found.smiles == ["CCO", "CS", "CCO", "FC=CF"]
    assert found.lines.tolist() == [1, 5, 6, 9]
    assert found.found == 9
    assert found.left_out == {molecules.RADICAL: 2, molecules.PIECES: 1}
    assert found.unreadable == ["line 2: 'C('", "line 7: 'C1CC'"]
    assert len(found.vectors) == 4 and graphs.sizes(found.vectors).tolist() == [3, 2, 3, 4]


def test_a_given_vocabulary_and_a_limit(tmp_path):
    vocabulary = molecules.Vocabulary((("O", 0), ("C", 0)), ("double", "single"), 3)
    found = read(tmp_path, "CCO\nCCN\nCCCC\nC#C\nC=O\n", vocabulary=vocabulary)
    assert found.vocabulary is vocabulary and found.smiles == ["CCO", "C=O"]
    np.testing.assert_array_equal(found.vectors, [[2, 2, 1, 2, 0, 2], [2, 1, 0, 1, 0, 0]])
    assert found.left_out == {
        molecules.ATOM_TYPE: 1,
        molecules.TOO_LARGE: 1,
        molecules.BOND_TYPE: 1,
    }
    found = read(tmp_path, "CCO\nCCCCN\n", nodes=3)
    assert found.left_out == {molecules.TOO_LARGE: 1} and found.vectors.shape == (1, 6)
    with pytest.raises(ValueError, match="nodes: expected None with a vocabulary, got 3"):
        read(tmp_path, "C", vocabulary=vocabulary, nodes=3)


def test_the_share_that_may_fail(tmp_path):
    text = "C\n" * 95 + "X\n" * 5
    assert len(read(tmp_path, text).unreadable) == 5
    message = (
        r"m.smi: expected SMILES, but RDKit cannot read 6 of 101: line 96: 'X'; .*98: 'X'; ...$"
    )
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text + "X\n")
    with pytest.raises(ValueError, match="cannot read 5 of 100"):
        read(tmp_path, text, may_fail=0.04)
    with pytest.raises(ValueError, match=r"cannot read 2 of 2: line 1: 'X'; line 2: 'Y'$"):
        read(tmp_path, "X\nY\n", may_fail=1)
    with pytest.raises(ValueError, match="may_fail: expected a share, 0 to 1, got 5"):
        read(tmp_path, text, may_fail=5)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.txt", "C\n", r"m.txt: expected a file named \.smi, \.smi\.gz, \.csv, \.csv\.gz"),
        ("m.smi", "", "m.smi: molecules: expected some that have a vector, got none"),
        ("m.smi", "\n \n", "got none"),
        ("m.smi", "[CH3]\nC.C\n", r"got none \(1 radical, 1 several pieces\)"),
        ("m.csv", "", r"expected one column 'smiles', got columns \[\]"),
        ("m.csv", "id,name\n1,C\n", r"one column 'smiles', got columns \['id', 'name'\]"),
        ("m.csv", "smiles,Smiles\nC,C\n", "one column 'smiles', got columns"),
        ("m.csv", "id,smiles\n", "got none"),
        ("m.csv", "id,smiles\n1\n2,\n", r"got none \(2 no atoms\)"),
        ("m.smi", b"C\nC\xff\xfeC\n", "m.smi: cannot be read"),
        ("m.csv", b"id,smiles\n1,\xff\n", "m.csv: cannot be read"),
    ],
)
def test_bad_files(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text, name)


def test_damaged_and_absent_files(tmp_path):
    whole = gzip.compress(b"CCO\n" * 1000)
    middle = bytearray(whole)
    middle[20] ^= 255
    for content in (whole[:-12], bytes(middle), b"CCO\n"):
        (tmp_path / "m.smi.gz").write_bytes(content)
        with pytest.raises(ValueError, match="m.smi.gz: cannot be read"):
            smiles_files.read(tmp_path / "m.smi.gz")
    with pytest.raises(ValueError, match="none.smi: cannot be read"):
        smiles_files.read(tmp_path / "none.smi")
    (tmp_path / "folder.smi").mkdir()
    with pytest.raises(ValueError, match="folder.smi: cannot be read"):
        smiles_files.read(tmp_path / "folder.smi")


def test_without_rdkit(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(ValueError, match=r"^molecules need .*pip install 'tfflows\[molecules\]'"):
        read(tmp_path, "C\n")
