"""Configs of the papers' sizes. They come without weights: days of GPUs make them."""
