"""Configs at the papers' sizes. They come without weights, which take days of GPU time."""
