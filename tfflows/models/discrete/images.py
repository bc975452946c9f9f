"""Integer discrete flows of images."""

from __future__ import annotations

import keras
import numpy as np

from tfflows import bijectors as tb
from tfflows.bijectors.integer_additive import IntegerAdditive
from tfflows.checks import check_image_shape, check_seed
from tfflows.models.discrete.integer import IntegerFlow, check_arguments, check_counts
from tfflows.models.discrete.priors import LearnedPrior, NetworkPrior
from tfflows.models.flows.family import layer_seed
from tfflows.models.flows.images.shapes import squeezed
from tfflows.networks.quantized import IntegerConvNet


@keras.saving.register_keras_serializable("tfflows")
class ImageIntegerDiscreteFlow(IntegerFlow):
    """An integer discrete flow of images.

    At each level a squeeze, and steps that shift one quarter of the channels by a rounded function
    of the others. Before a step the channels are permuted at random, and after it they are put
    back. Half of the channels become latents between levels, each under a discretized logistic
    whose mean and scale depend on the rest. The last latents have mixtures with learned parameters.
    All shifts start at zero.

    Unlike in the paper, a number that a shift moves out of the range of bytes enters at the other
    end. So every latent is a byte, and the probabilities of all images sum to 1.

    Args:
      shape: `(H, W, C)` of an image.
      bits: bits of a number, 1 to 8.
      levels: number of levels.
      steps: steps of a level.
      width: hidden channels of the networks.
      blocks: residual blocks of the networks.
      components: components of the mixtures of the last latents.
      quantized: whether the networks compute with 8-bit integers, so that they return the same
        numbers on every machine, as a codec needs; see `tfflows.networks.quantized`.
      seed: seed of initial weights, permutations and training noise.
      name: name of the model.

    References: Hoogeboom, Peters, van den Berg & Welling, Integer Discrete Flows and Lossless
    Compression, 2019. https://arxiv.org/abs/1905.07376; van den Berg, Gritsenko, Dehghani, Sonderby
    & Salimans, IDF++, 2021 (permutations, zero shifts). https://arxiv.org/abs/2006.12459
    """

    modality = "images"

    def __init__(
        self,
        shape,
        bits: int = 8,
        levels: int = 2,
        steps: int = 4,
        width: int = 64,
        blocks: int = 2,
        components: int = 5,
        quantized: bool = False,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        shape = check_image_shape(shape)
        seed = check_seed(seed)
        self._config = {
            "shape": list(shape),
            "bits": bits,
            "levels": levels,
            "steps": steps,
            "width": width,
            "blocks": blocks,
            "components": components,
            "quantized": quantized,
            "seed": seed,
        }
        check_arguments(type(self), self._config)
        bits, quantized = self._config["bits"], self._config["quantized"]
        check_counts(levels=levels, steps=steps, components=components)
        if not 1 <= bits <= 8:
            raise ValueError(f"bits: expected 1 to 8, got {bits}")
        count, key = 2**bits, 1000 * layer_seed(seed)

        def network(salt):
            return lambda outputs: IntegerConvNet(
                outputs, count, width, blocks, quantized, seed=key + salt
            )

        inner, maps, priors, sizes = shape, [], [], []
        for level in range(levels):
            inner = squeezed(inner, "levels")
            layers = [tb.Squeeze()]
            for step in range(steps):
                index = level * steps + step
                layers += _step(inner, count, network(index), key + index, f"coupling_{index}")
            maps.append(tb.Chain(layers))
            if level == levels - 1:
                priors.append(LearnedPrior(count, inner, components))
                break
            sizes.append(inner[-1] // 2)
            inner = (*inner[:-1], inner[-1] - sizes[-1])
            made = NetworkPrior(
                *(count, network(500 + level), inner, sizes[-1]),
                quantized=quantized,
                name=f"prior_{level}",
            )
            priors.append(made)
        super().__init__(shape, count, maps, priors, sizes, seed, name, trainable)

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        return {"shape": event_shape}


def _step(shape, count, network, seed, name) -> list:
    """Bijectors of one step, nearest to the data first."""
    order = tb.Permutation(np.random.RandomState(seed).permutation(shape[-1]))
    coupling = tb.ChannelCoupling(
        shape, IntegerAdditive(count), network, changed=max(shape[-1] // 4, 1), name=name
    )
    return [order, coupling, tb.Invert(order)]
