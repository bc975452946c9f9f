"""Configs of the named models: a file each, whose `get_config()` says all there is to train it."""
