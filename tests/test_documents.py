"""The generated parts of the documents are up to date."""

import pathlib

import pytest

from tests.zoo import binaries
from tools import documents
from zoo import registry

ROOT = pathlib.Path(__file__).parents[1]
checkout = pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="runs in a checkout only")


@checkout
def test_the_documents_are_up_to_date():
    contents, found = documents.parts(ROOT), set()
    for path in documents.documents(ROOT):
        text = path.read_text()
        assert documents.fill(text, contents) == text, f"{path}: run python -m tools.documents"
        found |= {name for name in contents if f"<!-- generated: {name} -->" in text}
    assert found == set(contents)


def test_a_part_is_filled_and_the_text_around_it_stays():
    text = "above\n<!-- generated: a -->\nold\n<!-- end -->\nbelow\n"
    once = documents.fill(text, {"a": "new"})
    assert once == "above\n<!-- generated: a -->\n\nnew\n\n<!-- end -->\nbelow\n"
    assert documents.fill(once, {"a": "new"}) == once
    with pytest.raises(ValueError, match="generated: expected one of b, got a"):
        documents.fill(text, {"b": "new"})


def test_pictures_belong_to_the_longest_name(tmp_path):
    """glow_mnist_classes.png is of glow_mnist_classes, not of glow_mnist."""
    for name in registry.pretrained():
        (tmp_path / f"{name}.png").touch()
    (tmp_path / "nsf_moons_latent_grid.png").touch()
    (tmp_path / "flowpp_ablation.png").touch()
    text = documents.pictures(tmp_path)
    section = text[text.index("## glow_mnist\n") :].split("\n## ")[0]
    assert section.count("![") == 1 and "/glow_mnist.png)" in section
    assert "![nsf_moons: latent grid]" in text and "ablation" not in text
    (tmp_path / "nsf_moons.png").unlink()
    (tmp_path / "nsf_moons_latent_grid.png").unlink()
    with pytest.raises(ValueError, match="nsf_moons: has no picture; python -m tools"):
        documents.pictures(tmp_path)


def test_another_folder_is_refused(tmp_path):
    error = binaries.error_of(f"--root={tmp_path}", module="tools.documents")
    assert "root: expected the folder of the repository" in error


def test_every_model_that_comes_with_the_zoo_is_in_a_table():
    kinds = (
        documents.toys,
        documents.integers,
        documents.tables,
        documents.images,
        documents.texts,
    )
    tables = [kind() for kind in kinds]
    lines = [line for table in tables for line in table.splitlines()[2:]]
    named = [name for line in lines for name in line.split("|")[1].strip(" `").split("`, `")]
    assert sorted(named) == registry.pretrained()


def test_every_config_comes_trained():
    """Configs of tables and text may: the files are not in the repository."""
    expected, tables = set(), set()
    for name in registry.names():
        if registry.is_of_paper_size(name):
            continue  # for whoever has GPUs for days
        if registry.config(name).data.source == "images":
            continue  # for a user's own
        source = registry.config(name).data.source
        if source == "table":
            tables |= {name.removesuffix("table") + table for table in ("htru2", "protein")}
        elif source == "smiles":
            tables.add(name.removesuffix("smiles") + "qm9_smiles")
        elif source == "text":
            tables.add(name.removesuffix("text") + "tiny_shakespeare")
        else:
            expected.add(name)
    assert expected <= set(registry.pretrained()) <= expected | tables
