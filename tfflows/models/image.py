"""Flows of images, with preprocessing and dequantization inside."""

from __future__ import annotations

import dataclasses
import operator

import keras
import numpy as np
import tensorflow_probability as tfp

from tfflows import bijectors as tb
from tfflows import distributions, networks
from tfflows.checks import check_seed
from tfflows.models.dequantized import (
    DequantizedFlow,
    UniformDequantization,
    VariationalDequantization,
    check_bits,
)
from tfflows.models.family import Described, check_precision, dtype_policy, layer_seed

tfb = tfp.bijectors


class ImageFamily(Described, DequantizedFlow):
    """A flow of images `uint8 [H, W, C]` built from plain values, which are its config.

    A subclass defines `layers_of(...)`, from its own constructor arguments to the list of
    bijectors between preprocessed images and latents, nearest to the data first.

    Args:
      shape: `(H, W, C)` of an image.
      base: base distribution of each latent; see `Flow`.
      classes: number of classes for a conditional model, whose context is the class as a one-hot
        vector `[batch, classes]`; 0 or `None` for none.
      bits: depth of the images as the flow sees them, 8 or less; see `DequantizedFlow`.
      preprocessing: `"logit"` (`logit(margin + (1 - 2 margin) x / levels)`) or `"rescale"`
        (`x / levels - 1/2`).
      margin: of the logit.
      dequantization: `"uniform"`, or `"variational"` for noise from a flow as in Flow++: of
        couplings over a checkerboard, by a logistic mixture's CDF and a scale and shift, that see
        features of the image: 32 at each position, or `dequantization_width` where that is less.
      dequantization_layers, dequantization_width, dequantization_blocks, dequantization_components,
        dequantization_heads: of that flow and its networks.
      dequantization_design: which of Flow++'s models that flow follows; see `FLOW_PLUS_PLUS`.
      samples: draws of noise in one `log_prob`; see `DequantizedFlow`.
      seed: seed of initial weights and training noise.
      name: name of the model.
      precision: Keras dtype policy of the conditioners; the global one by default.
      recompute: train in memory that does not grow with the depth, in steps that take longer: by a
        `RecomputingChain` in place of every `Chain`. Weights and values are the same.
      **arguments: those of `layers_of`.

    Raises:
      ValueError: for an argument that the family does not have, or one out of its range.
    """

    _shared_arguments = (
        *("base", "bits", "classes", "preprocessing", "margin", "dequantization"),
        *("dequantization_layers", "dequantization_width", "dequantization_blocks"),
        *("dequantization_components", "dequantization_heads", "dequantization_design"),
        "recompute",
    )
    default_preprocessing = "logit"
    default_dequantization = "uniform"

    def __init__(
        self,
        shape,
        base: str | None = None,
        classes: int = 0,
        bits: int = 8,
        preprocessing: str = "",
        margin: float = 0.05,
        dequantization: str = "",
        dequantization_layers: int = 4,
        dequantization_width: int = 32,
        dequantization_blocks: int = 2,
        dequantization_components: int = 8,
        dequantization_heads: int = 0,
        dequantization_design: str = "cifar10",
        samples: int = 1,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
        precision: str | None = None,
        recompute: bool = False,
        **arguments,
    ):
        shape = check_shape(shape)
        self._check_known(arguments)
        classes = classes or 0
        base = distributions.get(base or self.default_base)
        preprocessing = preprocessing or self.default_preprocessing
        dequantization = dequantization or self.default_dequantization
        noise = {
            "dequantization_layers": dequantization_layers,
            "dequantization_width": dequantization_width,
            "dequantization_blocks": dequantization_blocks,
            "dequantization_components": dequantization_components,
            "dequantization_heads": dequantization_heads,
            "dequantization_design": dequantization_design,
        }
        self._check_kinds(
            {"classes": classes, "margin": margin, "preprocessing": preprocessing}
            | {"dequantization": dequantization, "recompute": recompute, **noise, **arguments}
        )
        seed = check_seed(seed)
        if classes < 0 or classes == 1:
            raise ValueError(f"classes: expected 0 or at least 2, got {classes}")
        bits = check_bits(bits)
        config = {
            "shape": list(shape),
            "base": base.name,
            "classes": classes,
            "bits": bits,
            "preprocessing": preprocessing,
            "margin": margin,
            "dequantization": dequantization,
            **noise,
            "samples": samples,
            "seed": seed,
            "precision": check_precision(precision),
            "recompute": bool(recompute),
            **arguments,
        }
        levels = 2**bits
        with dtype_policy(config["precision"]):
            layers = self.layers_of(shape, classes or None, layer_seed(seed), **arguments)
            noise = _dequantization(
                dequantization, shape, levels, layer_seed(seed), noise, recompute
            )
            super().__init__(
                _chain([_preprocessing(preprocessing, levels, margin), *layers], recompute),
                event_shape=shape,
                dequantization=noise,
                bits=bits,
                samples=samples,
                base=base,
                seed=seed,
                name=name,
                trainable=trainable,
            )
        self._config = config

    @classmethod
    def default_arguments(cls) -> dict:
        """The arguments that a config of the zoo may set, each with its default."""
        return super().default_arguments() | {
            "preprocessing": cls.default_preprocessing,
            "dequantization": cls.default_dequantization,
        }

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor's arguments that say of what shape one datum is."""
        return {"shape": tuple(event_shape)}

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "samples": self.samples}


def check_shape(shape) -> tuple[int, int, int]:
    """`shape` as a tuple `(H, W, C)`, or a ValueError."""
    try:
        sizes = tuple(operator.index(d) for d in shape)
    except TypeError:
        sizes = ()
    if len(sizes) != 3 or min(sizes) < 1:
        raise ValueError(f"shape: expected (height, width, channels), got {shape!r}")
    return sizes


def _preprocessing(kind, levels, margin):
    if kind == "logit":
        return tb.Logit(levels, margin)
    if kind == "rescale":
        return tb.Rescale(levels)
    raise ValueError(f"preprocessing: expected logit or rescale, got {kind!r}")


def _chain(layers, recompute):
    """The chain of `layers`; one that recomputes, or whose levels do, where that is asked for."""
    if not recompute:
        return tb.Chain(layers)
    if isinstance(layers[-1], tb.MultiScale):
        levels = [_chain(level.bijectors, recompute) for level in layers[-1].levels]
        return tb.Chain([*layers[:-1], layers[-1].copy(levels=levels)])
    # A root search costs more than the memory of an event, and is less exact.
    searched = any(isinstance(getattr(b, "map", None), tb.LogisticMixtureAffine) for b in layers)
    return tb.RecomputingChain(layers, **({"keep_every": 1} if searched else {}))


def _dequantization(kind, shape, levels, seed, arguments, recompute):
    if kind == "uniform":
        return UniformDequantization()
    if kind != "variational":
        raise ValueError(f"dequantization: expected uniform or variational, got {kind!r}")
    height, width, channels = shape
    if width % 2:
        raise ValueError(f"dequantization: the variational one needs an even width, got {width}")
    squeezed, key = (height, width // 2, 2 * channels), seed * 1000 + 900
    names = ("width", "blocks", "heads", "layers", "components", "design")
    *sizes, count, components, design = (arguments[f"dequantization_{name}"] for name in names)
    features = min(32, sizes[0])
    try:
        design = design_of(design)
        layers = coupling_stack(
            squeezed,
            count,
            tb.LogisticMixtureAffine(components),
            lambda index: attention_network(design, *sizes, 0.0, key + index),
            context_shape=(height, width // 2, features),
            seed=key,
            name="noise",
            convolutions=design.convolutions,
        )
        extent = {"blocks": sizes[1], "heads": sizes[2]} if design.deep_features else {}
        network = networks.GatedFeatureNet(
            features,
            normalized=design.deep_features,
            weight_norm=design.weight_norm,
            seed=key + 99,
            **extent,
        )
    except ValueError as error:  # which names the argument of a network or map
        raise ValueError(f"dequantization_{error}") from None
    # The direction without a root search is that of the noise's draws.
    inner = tb.Invert(_chain(layers, recompute))
    bijector = tb.Chain([tfb.Sigmoid(), tb.CheckerboardSqueeze(), inner])
    context = _Squeezed(network, squeezed, name="features")
    return VariationalDequantization(bijector, context, shape, levels)


@keras.saving.register_keras_serializable("tfflows")
class _Squeezed(keras.layers.Layer):
    """A network of an image whose checkerboard has been squeezed."""

    def __init__(self, network, shape, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.network.build((None, *shape))
        self.built = True

    def call(self, inputs):
        return self.network(tb.CheckerboardSqueeze().inverse(inputs))


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


def mask_of(mask: np.ndarray, argument: str) -> np.ndarray:
    """`mask`, or a ValueError that names the argument by which it keeps all or nothing."""
    if mask.all() or not mask.any():
        size = " x ".join(map(str, mask.shape))
        raise ValueError(f"{argument}: a coupling of {size} numbers would keep all or none of them")
    return mask


def squeezed(shape, argument: str) -> tuple[int, int, int]:
    """The shape after a squeeze, or a ValueError that names the argument that asks for it."""
    height, width, channels = shape
    if height % 2 or width % 2:
        raise ValueError(f"{argument}: too many, an image of {height} x {width} cannot be squeezed")
    return height // 2, width // 2, 4 * channels
