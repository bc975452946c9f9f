"""Configs of the paper's size. They come without weights: days of GPUs make them."""
