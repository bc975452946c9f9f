"""The base class of families of image flows, with preprocessing and dequantization built in."""

from __future__ import annotations

from tfflows import bijectors as tb
from tfflows import distributions
from tfflows.checks import check_image_shape, check_seed
from tfflows.models.flows.dequantized import DequantizedFlow, check_bits
from tfflows.models.flows.family import FlowFamily, check_precision, dtype_policy, layer_seed
from tfflows.models.flows.images.dequantization import chain, noise_of, of_earlier, spec_of


class ImageFamily(FlowFamily, DequantizedFlow):
    """A flow of images `uint8 [H, W, C]` built from plain values, which are its config.

    A subclass defines `layers_of(...)`, which maps its own constructor arguments to the list of
    bijectors between preprocessed images and latents, nearest to the data first.

    Args:
      shape: `(H, W, C)` of an image.
      base: base distribution of each latent; see `Flow`.
      classes: number of classes for a conditional model, whose context is the class as a one-hot
        vector `[batch, classes]`; 0 or `None` for none.
      bits: depth of the images as the flow sees them, 8 or less; see `DequantizedFlow`.
      preprocessing: `"logit"` (`logit(margin + (1 - 2 margin) x / levels)`) or `"rescale"`
        (`x / levels - 1/2`).
      margin: margin of the logit.
      dequantization: the noise, `"uniform"` or `"variational"`; or a dict with this `kind` and the
        entries of `default_dequantization` that differ. Variational noise is drawn from a flow as
        in Flow++. Its couplings act on a checkerboard, by a logistic mixture's CDF and a scale and
        shift, and see features of the image: 32 at each position, or `width` if that is less.
        `layers`, `width`, `blocks`, `components` and `heads` are the sizes of that flow and its
        networks; `design` is the model of Flow++ that it follows; see `FLOW_PLUS_PLUS`.
      samples: draws of noise in one `log_prob`; see `DequantizedFlow`.
      seed: seed of initial weights and training noise.
      name: name of the model.
      precision: Keras dtype policy of the conditioners; the global one by default. With one of 16
        bits, `decode(encode(x))` may be a level off in a few values, as the networks round inputs
        that differ in their last bits.
      recompute: train in memory that does not grow with the depth, with slower steps, by using a
        `RecomputingChain` in place of every `Chain`. Weights and values are the same.
      **arguments: those of `layers_of`.

    Raises:
      ValueError: for an argument that the family does not have, or one that is out of range.
    """

    default_preprocessing = "logit"
    default_dequantization = {
        "kind": "uniform",
        "layers": 4,
        "width": 32,
        "blocks": 2,
        "components": 8,
        "heads": 0,
        "design": "cifar10",
    }

    def __init__(
        self,
        shape,
        base: str | None = None,
        classes: int = 0,
        bits: int = 8,
        preprocessing: str = "",
        margin: float = 0.05,
        dequantization: str | dict | None = None,
        samples: int = 1,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
        precision: str | None = None,
        recompute: bool = False,
        **arguments,
    ):
        shape = check_image_shape(shape)
        self._check_known(arguments)
        classes = classes or 0
        base = distributions.get(base or self.default_base)
        preprocessing = preprocessing or self.default_preprocessing
        dequantization = spec_of(dequantization, self._dequantization_by_default())
        self._check_kinds(
            {"classes": classes, "margin": margin, "preprocessing": preprocessing}
            | {"recompute": recompute, **arguments}
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
            "samples": samples,
            "seed": seed,
            "precision": check_precision(precision),
            "recompute": bool(recompute),
            **arguments,
        }
        levels = 2**bits
        with dtype_policy(config["precision"]):
            layers = self.layers_of(shape, classes or None, layer_seed(seed), **arguments)
            noise = noise_of(dequantization, shape, levels, layer_seed(seed), recompute)
            super().__init__(
                chain([_preprocessing(preprocessing, levels, margin), *layers], recompute),
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
        """The arguments that a zoo config may set, each with its default."""
        return super().default_arguments() | {
            "preprocessing": cls.default_preprocessing,
            "dequantization": cls._dequantization_by_default(),
        }

    @classmethod
    def _dequantization_by_default(cls) -> dict:
        """All entries: those that the family sets, and the others as of every family."""
        return {**ImageFamily.default_dequantization, **cls.default_dequantization}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the model of a config, also one of an earlier version."""
        return super().from_config(of_earlier(config), custom_objects=custom_objects)

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        return {"shape": tuple(event_shape)}

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "samples": self.samples}


def _preprocessing(kind, levels, margin):
    if kind == "logit":
        return tb.Logit(levels, margin)
    if kind == "rescale":
        return tb.Rescale(levels)
    raise ValueError(f"preprocessing: expected logit or rescale, got {kind!r}")
