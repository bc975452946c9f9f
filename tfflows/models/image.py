"""Flows of images, with preprocessing and dequantization inside."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows import networks
from tfflows.models.dequantized import (
    DequantizedFlow,
    UniformDequantization,
    VariationalDequantization,
    check_bits,
)
from tfflows.models.family import Described, dtype_policy


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
        features of the image.
      dequantization_layers, dequantization_width, dequantization_blocks, dequantization_components,
        dequantization_heads: of that flow and its networks.
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
        *("dequantization_components", "dequantization_heads", "recompute"),
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
        if classes < 0 or classes == 1:
            raise ValueError(f"classes: expected 0 or at least 2, got {classes}")
        base = base or self.default_base
        preprocessing = preprocessing or self.default_preprocessing
        dequantization = dequantization or self.default_dequantization
        noise = {
            "layers": dequantization_layers,
            "width": dequantization_width,
            "blocks": dequantization_blocks,
            "components": dequantization_components,
            "heads": dequantization_heads,
        }
        config = {
            "shape": list(shape),
            "base": base if isinstance(base, str) else base.name,
            "classes": classes,
            "bits": check_bits(bits),
            "preprocessing": preprocessing,
            "margin": margin,
            "dequantization": dequantization,
            **{f"dequantization_{key}": value for key, value in noise.items()},
            "samples": samples,
            "seed": int(seed),
            "precision": precision or keras.config.dtype_policy().name,
            "recompute": bool(recompute),
            **arguments,
        }
        levels = 2**bits
        with dtype_policy(config["precision"]):
            layers = self.layers_of(shape, classes or None, seed, **arguments)
            noise = _dequantization(dequantization, shape, levels, seed, noise, recompute)
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
    sizes = tuple(int(d) for d in shape)
    if len(sizes) != 3 or min(sizes) < 1:
        raise ValueError(f"shape: expected (height, width, channels), got {tuple(shape)}")
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
    squeezed = (height, width // 2, 2 * channels)
    features, key = 32, seed * 1000 + 900
    sizes = [arguments[name] for name in ("width", "blocks", "heads")]
    layers = coupling_stack(
        squeezed,
        arguments["layers"],
        tb.LogisticMixtureAffine(arguments["components"]),
        lambda index: attention_network(*sizes, 0.0, key + index),
        context_shape=(height, width // 2, features),
        seed=key,
        name="noise",
    )
    # The direction without a root search is that of the noise's draws.
    inner = tb.Invert(_chain(layers, recompute))
    bijector = tb.Chain([tb.Sigmoid(), tb.CheckerboardSqueeze(), inner])
    network = networks.GatedFeatureNet(features, seed=key + 99)
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


def attention_network(width, blocks, heads, dropout, seed):
    """A function from a number of channels to Flow++'s conditioner."""
    return lambda outputs: networks.GatedAttentionNet(
        outputs, width, blocks, heads, dropout, seed=seed
    )


def coupling_stack(shape, layers, map, network, context_shape, seed, name) -> list:
    """Flow++'s layers over channels: ActNorm of each number, 1 x 1 convolutions, a coupling.

    Args:
      shape: `(H, W, C)` with C even.
      layers: number of couplings; they keep the first and the last half in turn.
      map: elementwise map of the couplings.
      network: from the index of a coupling to its network.
      context_shape: of the couplings' networks.
      seed: of the convolutions.
      name: prefix of the couplings' names.
    """
    if layers < 1:
        raise ValueError(f"layers: expected at least 1, got {layers}")
    half = shape[-1] // 2
    stack = []
    for index in range(layers):
        stack.append(tb.ActNorm(shape))
        if half > 1:
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


def context_shape_of(context_dim) -> tuple[int] | None:
    """The shape of a context of that length, or `None`."""
    return None if context_dim is None else (int(context_dim),)


@keras.saving.register_keras_serializable("tfflows")
class NICE(ImageFamily):
    """NICE: additive couplings, then a scale of each latent.

    Args:
      layers: number of couplings; their partitions alternate.
      hidden_units: hidden layers of each coupling's multilayer perceptron, over the odd or even
        pixels of the flattened image.
      convolutional: instead, couplings over a checkerboard, each by a residual convolutional
        network.
      width, blocks: of the convolutional networks.
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
                mask = tb.checkerboard_mask(shape, odd=index % 2 == 1)
                return tb.MaskedCoupling(mask, tb.Additive(), network(index), **keywords)
            mask = [i % 2 == index % 2 for i in range(size)]
            return tb.Coupling(mask, tb.Additive(), network(index), **keywords)

        couplings = [coupling(index) for index in range(layers)]
        return [*couplings, flatten, scale] if convolutional else [flatten, *couplings, scale]


@keras.saving.register_keras_serializable("tfflows")
class ImageRealNVP(ImageFamily):
    """RealNVP for images: couplings over checkerboards and channels at several scales.

    At each scale come three couplings over a checkerboard, a squeeze and three over channels,
    then half of the channels become latents; at the last scale, four over a checkerboard.
    Activation normalisation takes the place of the paper's batch normalisation: it is the same
    for every row and every replica.

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
                mask = tb.checkerboard_mask(shape, odd=index % 2 == 1)
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


def squeezed(shape, argument: str) -> tuple[int, int, int]:
    """The shape after a squeeze, or a ValueError that names the argument that asks for it."""
    height, width, channels = shape
    if height % 2 or width % 2:
        raise ValueError(f"{argument}: too many, an image of {height} x {width} cannot be squeezed")
    return height // 2, width // 2, 4 * channels


@keras.saving.register_keras_serializable("tfflows")
class Glow(ImageFamily):
    """Glow: at each level a squeeze and steps of ActNorm, 1 x 1 convolution and coupling.

    Between levels half of the channels become latents, under a Gaussian prior whose mean and
    scale the other half decides.

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
