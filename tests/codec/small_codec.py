"""A small codec for tests, with a model that always has the same weights."""

import functools

import numpy as np

from tests.small_flows import shake
from tfflows import codec, models


@functools.cache
def model(seed=0):
    """A quantized flow of 8 x 8 grey images."""
    flow = models.ImageIntegerDiscreteFlow(
        (8, 8, 1), levels=2, steps=2, width=8, blocks=1, quantized=True, seed=seed
    )
    bell = np.random.default_rng(0).normal(128, 20, (64, 8, 8, 1))
    flow.initialize(bell.round().astype("uint8"))
    return shake(flow, scale=0.1)


@functools.cache
def coder(batch_size=64):
    """Its codec."""
    return codec.Codec(model(), batch_size)


def likely(n, seed=0):
    """Images that the model codes in fewer bits than a PNG takes: its own draws."""
    return model().sample(n, seed=seed).numpy()


def unlikely(n, seed=0):
    """Images of noise."""
    return np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 1)).astype("uint8")
