"""Flow++."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.image import (
    ImageFamily,
    attention_network,
    context_shape_of,
    coupling_stack,
    squeezed,
)


@keras.saving.register_keras_serializable("tfflows")
class FlowPlusPlus(ImageFamily):
    """Flow++: mixture-CDF couplings with self-attention, and variational dequantization.

    The paper's layout for CIFAR-10: couplings over a checkerboard, a squeeze, couplings over
    channels, and over a checkerboard again.

    Args:
      couplings: number of couplings in each of the three groups.
      coupling: `"mixture"` for the CDF of a logistic mixture, its logit, a scale and shift;
        `"affine"` for the scale and shift alone.
      components: logistics in a mixture.
      width, blocks, heads, dropout: of the networks; see `networks.GatedAttentionNet`.
      **kwargs: those of `ImageFamily`.

    Reference: Ho et al., Flow++: Improving Flow-Based Generative Models with Variational
    Dequantization and Architecture Design, 2019. https://arxiv.org/abs/1902.00275
    """

    default_dequantization = "variational"

    @staticmethod
    def layers_of(
        shape,
        context_dim,
        seed,
        couplings=(4, 2, 3),
        coupling="mixture",
        components=32,
        width=96,
        blocks=10,
        heads=4,
        dropout=0.2,
    ):
        """See `ImageFamily`."""
        if len(couplings) != 3:
            raise ValueError(f"couplings: expected three numbers, got {tuple(couplings)}")
        if coupling not in ("mixture", "affine"):
            raise ValueError(f"coupling: expected mixture or affine, got {coupling!r}")
        map = tb.LogisticMixtureAffine(components) if coupling == "mixture" else tb.Affine(2.0)
        context_shape = context_shape_of(context_dim)

        def stack(shape, group):
            key = seed * 1000 + 100 * group
            return coupling_stack(
                shape,
                couplings[group],
                map,
                lambda index: attention_network(width, blocks, heads, dropout, key + index),
                context_shape,
                key,
                f"coupling_{group}",
            )

        height, columns, channels = shape
        if columns % 4 or height % 2:
            raise ValueError(
                f"shape: expected a width that 4 divides and an even height, got {shape}"
            )
        board = (height, columns // 2, 2 * channels)
        small = squeezed(shape, "shape")
        small_board = (small[0], small[1] // 2, 2 * small[2])
        return [
            tb.CheckerboardSqueeze(),
            *stack(board, 0),
            tb.Invert(tb.CheckerboardSqueeze()),
            tb.Squeeze(),
            *stack(small, 1),
            tb.CheckerboardSqueeze(),
            *stack(small_board, 2),
            tb.Flatten(small_board),
        ]
