"""What maintainers run: they write parts of the documents, and the numbers pinned by the tests."""
