"""What maintainers run: the gallery of the documents, and the numbers pinned by the tests."""
