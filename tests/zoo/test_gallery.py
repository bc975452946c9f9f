"""README and the gallery say what the cards say."""

import pathlib

import pytest

from zoo import gallery, registry

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="runs in a checkout only")
def test_documents_hold_the_table_of_the_cards():
    for document in ("README.md", "docs/zoo.md"):
        assert gallery.table() in (ROOT / document).read_text(), (
            f"{document} is behind the cards: python -m zoo.gallery writes docs/zoo.md and prints "
            "the table for README.md"
        )


def test_every_model_of_the_zoo_is_in_the_table():
    assert [line.split("`")[1] for line in gallery.table().splitlines()[2:]] == registry.names()
