"""Glow."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows import networks
from tfflows.bijectors.convolution1x1 import KINDS
from tfflows.models.flows.family import context_shape_of
from tfflows.models.flows.images.family import ImageFamily
from tfflows.models.flows.images.shapes import squeezed


@keras.saving.register_keras_serializable("tfflows")
class Glow(ImageFamily):
    """Glow: at each level a squeeze and steps of ActNorm, 1 x 1 convolution and coupling.

    Between levels half of the channels become latents, under a Gaussian prior. The other half
    determines the prior's mean and scale.

    Args:
      levels: number of levels, L.
      steps: steps of a level, K.
      width: hidden channels of the couplings' networks.
      coupling: `"affine"`; `"sigmoid"`, an affine one that only contracts from data to latents, as
        in the paper's code; or `"additive"`.
      convolution: how the 1 x 1 convolutions are parametrised: `"plain"`, `"lu"` or `"qr"`.
      bound: the log-scales stay within +-bound.
      **kwargs: those of `ImageFamily`.

    Reference: Kingma & Dhariwal, Glow: Generative Flow with Invertible 1x1 Convolutions, 2018.
    https://arxiv.org/abs/1807.03039
    """

    default_preprocessing = "rescale"

    @staticmethod
    def layers_of(
        shape,
        context_dim,
        seed,
        levels=3,
        steps=32,
        width=512,
        coupling="affine",
        convolution="lu",
        bound=2.0,
    ):
        """See `ImageFamily`."""
        for name, value in (("levels", levels), ("steps", steps)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        affine = tb.Affine(bound)
        maps = {"affine": affine, "sigmoid": tb.SigmoidAffine(), "additive": tb.Additive()}
        if coupling not in maps:
            raise ValueError(f"coupling: expected one of {', '.join(maps)}, got {coupling!r}")
        if convolution not in KINDS:
            kinds = ", ".join(KINDS)
            raise ValueError(f"convolution: expected one of {kinds}, got {convolution!r}")
        map = maps[coupling]
        context_shape, data_shape, stack = context_shape_of(context_dim), shape, []
        for level in range(levels):
            shape = squeezed(shape, "levels")
            layers = [tb.Squeeze()]
            for step in range(steps):
                index = level * steps + step
                layers += [
                    tb.ActNorm(shape[-1]),
                    tb.InvertibleConvolution1x1(
                        shape[-1], convolution, seed=seed * 1000 + index, name=f"conv_{index}"
                    ),
                    tb.ChannelCoupling(
                        shape,
                        map,
                        lambda outputs, index=index: networks.ConvNet(
                            outputs, width, seed=seed * 1000 + index
                        ),
                        context_shape=context_shape,
                        name=f"coupling_{index}",
                    ),
                ]
            if level < levels - 1:
                # The prior of the half that becomes latents.
                layers.append(
                    tb.ChannelCoupling(
                        shape, affine, networks.ZeroConv2D, keep_last=True, name=f"prior_{level}"
                    )
                )
                shape = (*shape[:-1], shape[-1] - shape[-1] // 2)
            else:
                layers.append(tb.ActNorm(shape[-1], name="prior"))
                if context_shape is not None:
                    layers.append(
                        tb.ContextAffine(shape[-1], affine, context_shape, name="class_prior")
                    )
            stack.append(tb.Chain(layers))
        return [tb.MultiScale(data_shape, stack)]
