"""RealNVP for images."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows import networks
from tfflows.models.flows.family import context_shape_of
from tfflows.models.flows.images.family import ImageFamily
from tfflows.models.flows.images.shapes import check_mask, squeezed


@keras.saving.register_keras_serializable("tfflows")
class ImageRealNVP(ImageFamily):
    """RealNVP for images: couplings over checkerboards and channels at several scales.

    Each scale has three couplings over a checkerboard, a squeeze and three couplings over
    channels; then half of the channels become latents. The last scale has four couplings over a
    checkerboard. Activation normalisation replaces the paper's batch normalisation, because it is
    the same for every row and every replica.

    Args:
      scales: number of scales.
      width: hidden channels of the first scale's networks, doubled after every squeeze.
      blocks: residual blocks in a network.
      bound: the log-scales stay within +-bound.
      dropout: rate of dropout in the networks.
      **kwargs: those of `ImageFamily`.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016.
    https://arxiv.org/abs/1605.08803
    """

    @staticmethod
    def layers_of(shape, context_dim, seed, scales=3, width=32, blocks=4, bound=2.0, dropout=0.0):
        """See `ImageFamily`."""
        if scales < 1:
            raise ValueError(f"scales: expected at least 1, got {scales}")
        map, context_shape, data_shape = tb.Affine(bound), context_shape_of(context_dim), shape
        count = iter(range(1000))

        def coupling(shape, width, over_channels):
            index = next(count)

            def network(outputs):
                return networks.ResidualConvNet(
                    outputs, width, blocks, dropout, seed=seed * 1000 + index
                )

            keywords = {"context_shape": context_shape, "name": f"coupling_{index}"}
            if over_channels:
                last = index % 2 == 1
                layer = tb.ChannelCoupling(shape, map, network, keep_last=last, **keywords)
            else:
                mask = check_mask(tb.checkerboard_mask(shape, odd=index % 2 == 1), "scales")
                layer = tb.MaskedCoupling(mask, map, network, **keywords)
            return [tb.ActNorm(shape[-1]), layer]

        levels = []
        for scale in range(scales):
            last = scale == scales - 1
            level = [b for _ in range(4 if last else 3) for b in coupling(shape, width, False)]
            if not last:
                level.append(tb.Squeeze())
                shape = squeezed(shape, "scales")
                width *= 2
                level += [b for _ in range(3) for b in coupling(shape, width, True)]
                shape = (*shape[:-1], shape[-1] - shape[-1] // 2)
            levels.append(tb.Chain(level))
        return [tb.MultiScale(data_shape, levels)]
