"""Molecules through the commands, as graphs."""

import numpy as np
import pytest

pytest.importorskip("rdkit")

import zoo
from tests.small_graphs import SMALL
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from tfflows.data import graphs, smiles_files
from tfflows.models import GraphCNF
from zoo import modalities, registry
from zoo.modalities.graphs import draws

SMILES = ("CCO", "C", "CC#N", "C=O", "CC(=O)N", "COC", "C1CC1", "OCCO", "CN", "C[NH3+]", "N", "CF")
QUICK = (
    *("--config=graphcnf_smiles", "--config.train.steps=20", "--config.train.eval_every=10"),
    *(f"--config.model.args.{name}={value}" for name, value in SMALL.items()),
    *("--config.train.warmup=0", "--config.train.jit_compile=False"),
)


def save(path, smiles=SMILES):
    path.write_text("\n".join(10 * smiles) + "\n[CH2]C\nC.C\n")
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return save(tmp_path_factory.mktemp("molecules") / "x.smi")


@pytest.fixture(scope="module")
def trained(file):
    """A work directory."""
    run = file.parent / "run"
    code, out, errors = binaries.run(
        "zoo.train", *QUICK, f"--config.data.path={file}", f"--workdir={run}"
    )
    assert code == 0, errors
    assert "2 of 122 molecules are left out: 1 radical, 1 several pieces" in out
    assert (run / "pictures" / "samples.png").stat().st_size > 1000
    return run


def loaded(file, **arguments):
    config = registry.config("graphcnf_smiles")
    config.data.path = str(file)
    config.model.args.update(arguments)
    return modalities.load(config)


def test_a_file_becomes_three_parts(file):
    data = loaded(file)
    assert [len(part) for part in (data.train, data.validation, data.test())] == [97, 11, 12]
    parts = np.concatenate([data.train, data.validation, data.test()])
    whole = smiles_files.read(file).vectors
    assert sorted(parts.tolist()) == sorted(whole.tolist())
    assert (parts != whole).any() and data.event_shape == (4 + 6,)
    assert data.facts["found"] == 122 and sum(data.facts["left_out"].values()) == 2
    assert data.facts["vocabulary"]["nodes"] == 4


def test_what_does_not_fit_is_named(file, tmp_path):
    for name, number in (("node_types", 5), ("edge_types", 3)):
        loaded(file, **{name: number})
        with pytest.raises(ValueError, match=f"{name}: expected none given, or {number}, .*got 9"):
            loaded(file, **{name: 9})
    short = tmp_path / "short.smi"
    short.write_text("CCO\nC\n")
    with pytest.raises(ValueError, match="expected 20 molecules or more, got 2"):
        loaded(short)
    short.write_text("xx\n" * 30)
    with pytest.raises(ValueError, match="RDKit cannot read 30 of 30"):
        loaded(short)


def test_what_is_left_out_is_told_when_a_file_is_read(file, tmp_path, capsys):
    config = registry.config("graphcnf_smiles")
    config.data.path = str(file)
    trained = modalities.load(config).facts
    other = save(tmp_path / "other.smi", (*SMILES, "CCCCC", "CS"))
    config.data.path = str(other)
    capsys.readouterr()
    data = modalities.load(config, trained)
    assert len(data.train) + len(data.validation) + len(data.test()) == 120
    told = capsys.readouterr().out
    assert "other.smi: 22 of 142 molecules are left out: " in told
    assert "10 too many atoms" in told and "10 type of atom not in the vocabulary" in told


def test_figures_count_what_is_drawn(file, monkeypatch):
    data = loaded(file)
    model = GraphCNF(4, node_types=16, edge_types=3, **SMALL)
    drawn = np.concatenate([data.train[:6], data.train[:1]])
    drawn[6, :4], drawn[6, 4:] = [1, 1, 0, 0], 0  # two atoms without a bond
    monkeypatch.setattr(draws.batches, "sample", lambda *arguments: drawn)
    found = draws.figures(model, 7, data)
    assert found["draws"] == 7 and found["valid"]["drawn"] == pytest.approx(6 / 7)
    assert found["valid"]["largest_piece"] == 1.0 and found["novel"]["drawn"] == 0.0
    assert sum(found["invalid"].values()) == 1
    sizes = [np.bincount(graphs.sizes(x), minlength=5) / len(x) for x in (drawn, data.train)]
    assert found["size_distance"] == pytest.approx(np.abs(sizes[0] - sizes[1]).sum() / 2)


@pytest.mark.slow
def test_a_model_is_tested_on_molecules_and_draws_of_them(trained, file):
    card = zoo.card(trained)
    assert card["data"]["vocabulary"]["atoms"][0] == ["C", 0]
    assert card["architecture"]["args"]["node_types"] == 5
    code, out, errors = binaries.run("zoo.evaluate", f"--model={trained}", f"--data_path={file}")
    assert code == 0, errors
    assert "mean test log-likelihood (bound from 1 draw of noise)" in out
    assert "x.smi: 2 of 122 molecules are left out: 1 radical, 1 several pieces" in out
    assert "1000 draws as drawn:" in out and "with corrected valences: 100.0 % valid" in out
    assert "numbers of atoms: total-variation distance" in out


@pytest.mark.slow
def test_draws_are_molecules(trained, tmp_path):
    command = ("zoo.sample", f"--model={trained}", "--n=30", "--seed=3")
    for name in ("s.smi", "s.npy", "s.png"):
        code, out, errors = binaries.run(*command, f"--output={tmp_path / name}")
        assert code == 0, errors
    rows, lines = np.load(tmp_path / "s.npy"), (tmp_path / "s.smi").read_text().split()
    assert rows.shape == (30, 10) and f"{len(lines)} of 30 are valid molecules" in out
    again = smiles_files.read(tmp_path / "s.smi").smiles
    assert sorted(again) == sorted(lines)
    assert "output: expected a file ending in .smi, .png, .npy" in error_of(
        *command[1:], f"--output={tmp_path / 's.csv'}", module="zoo.sample"
    )
