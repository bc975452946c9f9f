"""Flow++."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.checks import whole_number
from tfflows.models.flows.family import context_shape_of
from tfflows.models.flows.images.designs import attention_network, coupling_stack, design_of
from tfflows.models.flows.images.family import ImageFamily
from tfflows.models.flows.images.shapes import squeezed


@keras.saving.register_keras_serializable("tfflows")
class FlowPlusPlus(ImageFamily):
    """Flow++: mixture-CDF couplings with self-attention, and variational dequantization.

    The default is the paper's layout for CIFAR-10: couplings over a checkerboard, a squeeze,
    couplings over channels, and couplings over a checkerboard again.

    Args:
      design: which of the authors' models to follow, `"cifar10"`, `"imagenet32"` or `"imagenet64"`.
        They differ in layout and networks; see `designs.FLOW_PLUS_PLUS`.
      couplings: number of couplings in each group of the design; by default the design's own.
      coupling: `"mixture"` for the CDF of a logistic mixture, its logit, a scale and shift;
        `"affine"` for the scale and shift alone.
      components: logistics in a mixture.
      width, blocks, heads, dropout: settings of the networks; see `networks.GatedAttentionNet`.
      **kwargs: those of `ImageFamily`.

    Reference: Ho et al., Flow++: Improving Flow-Based Generative Models with Variational
    Dequantization and Architecture Design, 2019. https://arxiv.org/abs/1902.00275
    """

    default_dequantization = {"kind": "variational"}

    @staticmethod
    def layers_of(
        shape,
        context_dim,
        seed,
        design="cifar10",
        couplings=(),
        coupling="mixture",
        components=32,
        width=96,
        blocks=10,
        heads=4,
        dropout=0.2,
    ):
        """See `ImageFamily`."""
        design = design_of(design)
        counts = tuple(whole_number("couplings", n, 1) for n in couplings) or design.couplings
        if len(counts) != len(design.couplings):
            raise ValueError(
                f"couplings: expected {len(design.couplings)} numbers, got {tuple(couplings)}"
            )
        if coupling not in ("mixture", "affine"):
            raise ValueError(f"coupling: expected mixture or affine, got {coupling!r}")
        _check_divisible(shape, design.layout)
        map = tb.LogisticMixtureAffine(components) if coupling == "mixture" else tb.Affine(2.0)
        context_shape = context_shape_of(context_dim)

        def stack(shape, group):
            key = seed * 1000 + 100 * group
            return coupling_stack(
                shape,
                counts[group],
                map,
                lambda index: attention_network(design, width, blocks, heads, dropout, key + index),
                context_shape,
                key,
                f"coupling_{group}",
                design.convolutions,
            )

        layers, group = [], 0
        for index, place in enumerate(design.layout):
            if place == "squeeze":
                layers.append(tb.Squeeze())
                shape = squeezed(shape, "shape")
                continue
            if place == "channels":
                layers += stack(shape, group)
            else:
                board = shape[0], shape[1] // 2, 2 * shape[2]
                layers += [tb.CheckerboardSqueeze(), *stack(board, group)]
                if index + 1 < len(design.layout):
                    layers.append(tb.Invert(tb.CheckerboardSqueeze()))
                else:
                    shape = board
            group += 1
        return [*layers, tb.Flatten(shape)]


def _check_divisible(shape, layout):
    """Raises a ValueError unless `shape` allows every squeeze and checkerboard of `layout`."""
    height = 2 ** layout.count("squeeze")
    columns = height * (2 if layout[-1] == "checkerboard" else 1)
    if shape[0] % height or shape[1] % columns:
        raise ValueError(
            f"shape: expected a height divisible by {height} and a width divisible by {columns}, "
            f"got {shape}"
        )
