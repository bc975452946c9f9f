"""Small flows of images for tests, one of each family, and images for them."""

import functools

import numpy as np

from tests.small_flows import shake
from tfflows import models

SHAPE = (4, 4, 2)
WIDE = (4, 8, 1)  # Flow++ halves the width twice
CLASSES = 3
_NOISE = {"layers": 2, "width": 8, "blocks": 1, "components": 3}
IMAGES = {
    "nice": lambda: models.NICE(SHAPE, layers=2, hidden_units=(16,)),
    "nice_convolutional": lambda: models.NICE(
        SHAPE, layers=2, convolutional=True, width=8, blocks=1
    ),
    "realnvp": lambda: models.ImageRealNVP(SHAPE, scales=2, width=4, blocks=1),
    "partitioned": lambda: models.PartitionedRealNVP(
        SHAPE,
        partitions=("checkerboard", "squeeze", "channel", "unsqueeze", "top", "left"),
        width=4,
        blocks=1,
    ),
    "glow": lambda: models.Glow(SHAPE, levels=2, steps=2, width=8),
    "glow_classes": lambda: models.Glow(SHAPE, levels=1, steps=2, width=8, classes=CLASSES),
    "glow_5_bits": lambda: models.Glow(SHAPE, levels=1, steps=1, width=8, bits=5),
    "flowpp": lambda: models.FlowPlusPlus(
        WIDE,
        couplings=(2, 1, 1),
        width=8,
        blocks=1,
        heads=2,
        components=3,
        dropout=0.1,
        dequantization=_NOISE,
    ),
    "flowpp_imagenet32": lambda: _imagenet("imagenet32", WIDE, 4, classes=CLASSES),
    "flowpp_imagenet64": lambda: _imagenet("imagenet64", (8, 16, 1), 5),
}


def _imagenet(design, shape, groups, classes=0):
    """A Flow++ of one of the designs for ImageNet."""
    attends = {"heads": 2} if design == "imagenet32" else {}
    return models.FlowPlusPlus(
        shape,
        design=design,
        couplings=(1,) * groups,
        dequantization={"design": design, **_NOISE, **attends},
        classes=classes,
        **{"width": 8, "blocks": 1, "heads": 2, "components": 3, "dropout": 0.1},
    )


def images(model, n=16, seed=0):
    """Random images, and classes for a conditional model."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (n, *model.event_shape)).astype("uint8")
    if model.context_shape is None:
        return x, None
    return x, np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, n)]


def initialized(name, scale=0.05):
    """A model whose ActNorm layers have seen images, and whose weights are not zero."""
    model = IMAGES[name]()
    model.initialize(*images(model, 64))
    return shake(model, scale=scale)


@functools.cache
def shared(name):
    """`initialized(name)`, for tests that change nothing of it."""
    return initialized(name)
