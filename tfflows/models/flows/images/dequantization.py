"""The noise of image flows, built from the argument `dequantization` of their families."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow_probability as tfp

from tfflows import bijectors as tb
from tfflows import networks
from tfflows.models.flows.dequantized import UniformDequantization, VariationalDequantization
from tfflows.models.flows.family import check_kind
from tfflows.models.flows.images.designs import attention_network, coupling_stack, design_of

tfb = tfp.bijectors

_EARLIER = "dequantization_"


def chain(layers, recompute):
    """The chain of `layers`; with `recompute`, one that recomputes, or whose levels do."""
    if not recompute:
        return tb.Chain(layers)
    if isinstance(layers[-1], tb.MultiScale):
        levels = [chain(level.bijectors, recompute) for level in layers[-1].levels]
        return tb.Chain([*layers[:-1], layers[-1].copy(levels=levels)])
    # Keep every event: to recompute it, a root search would cost more, and be less exact.
    searched = any(isinstance(getattr(b, "map", None), tb.LogisticMixtureAffine) for b in layers)
    return tb.RecomputingChain(layers, **({"keep_every": 1} if searched else {}))


def spec_of(given: str | dict | None, default: dict) -> dict:
    """All entries of `dequantization`, from a kind, from some entries, or from none.

    Raises:
      ValueError: for an unknown entry, or a value of another type.
    """
    given = {} if given is None else {"kind": given} if isinstance(given, str) else given
    if not isinstance(given, Mapping):
        raise ValueError(f"dequantization: expected a name or a dict, got {given!r}")
    spec = {**default, **given}
    for name, value in spec.items():
        if name not in default:
            known = ", ".join(default)
            raise ValueError(f"dequantization: expected entries among {known}, got {name!r}")
        check_kind(f"dequantization.{name}", value, default[name])
    if spec["kind"] not in ("uniform", "variational"):
        raise ValueError(f"dequantization: expected uniform or variational, got {spec['kind']!r}")
    return spec


def of_earlier(config: dict) -> dict:
    """A model's config of an earlier version, which had an argument for each entry."""
    config = dict(config)
    entries = [name for name in config if name.startswith(_EARLIER)]
    if entries:
        moved = {name.removeprefix(_EARLIER): config.pop(name) for name in entries}
        config["dequantization"] = {"kind": config["dequantization"], **moved}
    return config


def noise_of(spec, shape, levels, seed, recompute):
    """The noise of a family; see `ImageFamily`."""
    if spec["kind"] == "uniform":
        return UniformDequantization()
    height, width, channels = shape
    if width % 2:
        raise ValueError(f"dequantization: variational needs an even width, got {width}")
    squeezed, key = (height, width // 2, 2 * channels), seed * 1000 + 900
    names = ("width", "blocks", "heads", "layers", "components", "design")
    *sizes, count, components, design = (spec[name] for name in names)
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
    except ValueError as error:  # its message names the argument of a network or map
        raise ValueError(f"dequantization.{error}") from None
    # Inverted, so that drawing noise takes the direction without a root search.
    inner = tb.Invert(chain(layers, recompute))
    bijector = tb.Chain([tfb.Sigmoid(), tb.CheckerboardSqueeze(), inner])
    context = _Squeezed(network, squeezed, name="features")
    return VariationalDequantization(bijector, context, shape, levels)


@keras.saving.register_keras_serializable("tfflows")
class _Squeezed(keras.layers.Layer):
    """Applies a network to an image after a checkerboard squeeze."""

    def __init__(self, network, shape, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.network.build((None, *shape))
        self.built = True

    def call(self, inputs):
        return self.network(tb.CheckerboardSqueeze().inverse(inputs))
