"""RealNVP over any sequence of partitions of an image, to compare them."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows import networks
from tfflows.bijectors.masks import SIDES
from tfflows.models.flows.family import context_shape_of
from tfflows.models.flows.images.family import ImageFamily
from tfflows.models.flows.images.shapes import check_mask, squeezed

_COUPLINGS = ("checkerboard", "channel", *SIDES)
_REORDERINGS = ("squeeze", "unsqueeze")

CHECKERBOARD_AND_CHANNELS = (
    *("checkerboard",) * 4,
    "squeeze",
    *("channel",) * 3,
    "unsqueeze",
    *("checkerboard",) * 3,
)
SIDES_TWICE = ("top", "bottom", "left", "right") * 2


@keras.saving.register_keras_serializable("tfflows")
class PartitionedRealNVP(ImageFamily):
    """Affine couplings over a given sequence of partitions, all at one scale.

    Args:
      partitions: names in order, nearest to the data first: `"checkerboard"` and `"channel"`
        (whose two halves are kept in turn), `"top"`, `"bottom"`, `"left"`, `"right"` (the half
        that is kept), `"squeeze"` and `"unsqueeze"`.
      width, blocks: sizes of the residual convolutional networks.
      bound: the log-scales stay within +-bound.
      **kwargs: those of `ImageFamily`.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016.
    https://arxiv.org/abs/1605.08803
    """

    @staticmethod
    def layers_of(
        shape,
        context_dim,
        seed,
        partitions=CHECKERBOARD_AND_CHANNELS,
        width=32,
        blocks=2,
        bound=1.0,
    ):
        """See `ImageFamily`."""
        unknown = [name for name in partitions if name not in (*_COUPLINGS, *_REORDERINGS)]
        if unknown or not any(name in _COUPLINGS for name in partitions):
            known = ", ".join((*_COUPLINGS, *_REORDERINGS))
            raise ValueError(
                f"partitions: expected names from {known}, with at least one coupling, got "
                f"{tuple(partitions)}"
            )
        map, context_shape = tb.Affine(bound), context_shape_of(context_dim)
        layers, met = [], dict.fromkeys(_COUPLINGS, 0)
        for index, name in enumerate(partitions):
            if name == "squeeze":
                shape = squeezed(shape, "partitions")
                layers.append(tb.Squeeze())
                continue
            if name == "unsqueeze":
                if shape[-1] % 4:
                    raise ValueError(
                        f"partitions: {shape[-1]} channels cannot be unsqueezed at index "
                        f"{index}; expected a multiple of 4"
                    )
                shape = (2 * shape[0], 2 * shape[1], shape[2] // 4)
                layers.append(tb.Invert(tb.Squeeze()))
                continue

            def network(outputs, index=index):
                return networks.ResidualConvNet(outputs, width, blocks, seed=seed * 1000 + index)

            second = met[name] % 2 == 1
            met[name] += 1
            keywords = {"context_shape": context_shape, "name": f"coupling_{index}"}
            layers.append(tb.ActNorm(shape[-1]))
            if name == "channel":
                layers.append(tb.ChannelCoupling(shape, map, network, second, **keywords))
            elif name == "checkerboard":
                mask = check_mask(tb.checkerboard_mask(shape, odd=second), "partitions")
                layers.append(tb.MaskedCoupling(mask, map, network, **keywords))
            else:
                mask = check_mask(tb.half_mask(shape, name), "partitions")
                layers.append(tb.MaskedCoupling(mask, map, network, **keywords))
        return [*layers, tb.Flatten(shape)]
