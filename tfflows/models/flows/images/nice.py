"""NICE: additive couplings."""

from __future__ import annotations

import keras
import numpy as np

from tfflows import bijectors as tb
from tfflows import networks
from tfflows.models.flows.family import context_shape_of
from tfflows.models.flows.images.family import ImageFamily
from tfflows.models.flows.images.shapes import check_mask


@keras.saving.register_keras_serializable("tfflows")
class NICE(ImageFamily):
    """NICE: additive couplings, then a scale of each latent.

    Args:
      layers: number of couplings; their partitions alternate.
      hidden_units: hidden layers of each coupling's multilayer perceptron, over the odd or even
        pixels of the flattened image.
      convolutional: use couplings over a checkerboard instead, each with a residual convolutional
        network.
      width, blocks: sizes of the convolutional networks.
      **kwargs: those of `ImageFamily`.

    Reference: Dinh, Krueger & Bengio, NICE: Non-linear Independent Components Estimation, 2014.
    https://arxiv.org/abs/1410.8516
    """

    default_base = "logistic"
    default_preprocessing = "rescale"

    @staticmethod
    def layers_of(
        shape,
        context_dim,
        seed,
        layers=4,
        hidden_units=(1000, 1000, 1000, 1000, 1000),
        convolutional=False,
        width=32,
        blocks=2,
    ):
        """See `ImageFamily`."""
        if layers < 1:
            raise ValueError(f"layers: expected at least 1, got {layers}")
        size = shape[0] * shape[1] * shape[2]
        context_shape = context_shape_of(context_dim)
        scale = tb.Elementwise(tb.Scale(), size, name="rescaling")
        flatten = tb.Flatten(shape)

        def network(index):
            if convolutional:
                return lambda outputs: networks.ResidualConvNet(
                    outputs, width, blocks, seed=seed * 1000 + index
                )
            return lambda outputs: networks.MLP(outputs, hidden_units, seed=seed * 1000 + index)

        def coupling(index):
            keywords = {"context_shape": context_shape, "name": f"coupling_{index}"}
            if convolutional:
                mask = check_mask(tb.checkerboard_mask(shape, odd=index % 2 == 1), "shape")
                return tb.MaskedCoupling(mask, tb.Additive(), network(index), **keywords)
            mask = check_mask(np.arange(size) % 2 == index % 2, "shape")
            return tb.Coupling(mask, tb.Additive(), network(index), **keywords)

        couplings = [coupling(index) for index in range(layers)]
        return [*couplings, flatten, scale] if convolutional else [flatten, *couplings, scale]
