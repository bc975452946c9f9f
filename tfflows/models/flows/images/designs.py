"""Layers and designs of Flow++, also used by variational dequantization."""

from __future__ import annotations

import dataclasses

from tfflows import bijectors as tb
from tfflows import networks


@dataclasses.dataclass(frozen=True)
class FlowPlusPlusDesign:
    """What distinguishes the models of Flow++'s authors from each other.

    Attributes:
      layout: what each group of couplings splits, `checkerboard` or `channels`, with a `squeeze`
        wherever the image is squeezed.
      couplings: number of couplings in each group.
      convolutions: 1 x 1 convolutions of the two halves before each coupling.
      last_elu: `elu` of both signs before the last layer of the couplings' networks.
      deep_features: the network of the noise's features has as many blocks and heads as the
        noise's couplings' networks, and layer normalisation; if false, three blocks without
        normalisation.
      weight_norm: weight normalisation of every layer of the networks.

    Reference: the paper's tables, and the authors' code for what the tables leave open.
    https://arxiv.org/abs/1902.00275, https://github.com/aravindsrinivas/flowpp
    """

    layout: tuple[str, ...]
    couplings: tuple[int, ...]
    convolutions: bool = False
    last_elu: bool = True
    deep_features: bool = True
    weight_norm: bool = False


_LAST = ("squeeze", "channels", "checkerboard")
FLOW_PLUS_PLUS = {
    "cifar10": FlowPlusPlusDesign(
        ("checkerboard", *_LAST),
        (4, 2, 3),
        convolutions=True,
        last_elu=False,
        deep_features=False,
    ),
    "imagenet32": FlowPlusPlusDesign(
        ("checkerboard", "checkerboard", *_LAST), (4, 3, 3, 3), weight_norm=True
    ),
    "imagenet64": FlowPlusPlusDesign(("squeeze", "checkerboard", *_LAST, *_LAST), (4, 2, 2, 2, 2)),
}


def design_of(name: str) -> FlowPlusPlusDesign:
    """Returns a design by its name, or raises a ValueError."""
    if name not in FLOW_PLUS_PLUS:
        raise ValueError(f"design: expected one of {', '.join(FLOW_PLUS_PLUS)}, got {name!r}")
    return FLOW_PLUS_PLUS[name]


def attention_network(design, width, blocks, heads, dropout, seed):
    """A function that builds a `FlowPlusPlusDesign`'s conditioner for a number of channels."""
    return lambda outputs: networks.GatedAttentionNet(
        outputs,
        width,
        blocks,
        heads,
        dropout,
        last_elu=design.last_elu,
        weight_norm=design.weight_norm,
        seed=seed,
    )


def coupling_stack(
    shape, layers, map, network, context_shape, seed, name, convolutions=True
) -> list:
    """Flow++'s layers over channels: ActNorm of each number, 1 x 1 convolutions, a coupling.

    Args:
      shape: `(H, W, C)` with C even.
      layers: number of couplings; they keep the first and the last half in turn.
      map: elementwise map of the couplings.
      network: function from the index of a coupling to its network.
      context_shape: context shape of the couplings' networks.
      seed: seed of the convolutions.
      name: prefix of the couplings' names.
      convolutions: whether to include the 1 x 1 convolutions.
    """
    if layers < 1:
        raise ValueError(f"layers: expected at least 1, got {layers}")
    half = shape[-1] // 2
    stack = []
    for index in range(layers):
        stack.append(tb.ActNorm(shape))
        if convolutions and half > 1:
            stack.append(
                tb.ChannelBlockwise(
                    tb.InvertibleConvolution1x1(half, "plain", seed=seed + 2 * index),
                    tb.InvertibleConvolution1x1(half, "plain", seed=seed + 2 * index + 1),
                )
            )
        stack.append(
            tb.ChannelCoupling(
                shape,
                map,
                network(index),
                keep_last=index % 2 == 1,
                context_shape=context_shape,
                name=f"{name}_{index}",
            )
        )
    return stack
