"""The gallery says what the cards say."""

import pathlib

import pytest

from tools import gallery
from zoo import registry

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="runs in a checkout only")
def test_the_gallery_holds_the_tables_of_the_cards():
    text = (ROOT / "docs" / "zoo.md").read_text()
    for table in (gallery.toys(), gallery.tables(), gallery.images()):
        assert table in text, "docs/zoo.md is behind the cards: python -m tools.gallery writes it"


def test_every_model_that_comes_with_the_zoo_is_in_a_table():
    tables = (gallery.toys(), gallery.tables(), gallery.images())
    lines = [line for table in tables for line in table.splitlines()[2:]]
    named = [name for line in lines for name in line.split("|")[1].strip(" `").split("`, `")]
    assert sorted(named) == registry.pretrained()


def test_every_config_comes_trained():
    """Configs of tables may: the tables are not in the repository."""
    expected, tables = set(), set()
    for name in registry.names():
        if registry.is_of_paper_size(name):
            continue  # for whoever has GPUs for days
        if registry.config(name).data.source == "images":
            continue  # for a user's own
        if registry.config(name).data.source == "table":
            tables |= {name.removesuffix("table") + table for table in ("htru2", "protein")}
        else:
            expected.add(name)
    assert expected <= set(registry.pretrained()) <= expected | tables
