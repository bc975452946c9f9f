"""Configs of the named models, one per file: `get_config()` gives all that training needs."""
