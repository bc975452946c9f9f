"""Layers and designs of Flow++, which variational dequantization uses too."""

from __future__ import annotations

import dataclasses

from tfflows import bijectors as tb
from tfflows import networks


@dataclasses.dataclass(frozen=True)
class FlowPlusPlusDesign:
    """What sets the models of Flow++'s authors apart.

    Attributes:
      layout: what each group of couplings splits, `checkerboard` or `channels`, with a `squeeze`
        wherever one comes between.
      couplings: number of couplings in each group.
      convolutions: 1 x 1 convolutions of the two halves before each coupling.
      last_elu: `elu` of both signs before the last layer of the couplings' networks.
      deep_features: the noise's features come from as many blocks, with as many heads, as its
        couplings' networks have, with layer normalisation; else from three blocks without.
      weight_norm: weight normalisation of every layer of the networks.

    Reference: the paper's tables, and the authors' programs for what they leave open.
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
    """A design by name, or a ValueError."""
    if name not in FLOW_PLUS_PLUS:
        raise ValueError(f"design: expected one of {', '.join(FLOW_PLUS_PLUS)}, got {name!r}")
    return FLOW_PLUS_PLUS[name]


def attention_network(design, width, blocks, heads, dropout, seed):
    """A function from a number of channels to the conditioner of a `FlowPlusPlusDesign`."""
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
      network: from the index of a coupling to its network.
      context_shape: of the couplings' networks.
      seed: of the convolutions.
      name: prefix of the couplings' names.
      convolutions: whether there are any.
    """
    if layers < 1:
        raise ValueError(f"layers: expected at least 1, got {layers}")
    half = shape[-1] // 2
    stack = []
    for index in range(layers):
        stack.append(tb.ActNorm(shape))
        if convolutions and half > 1:
            stack.append(
                tb.Halves(
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
