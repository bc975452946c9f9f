"""Integer discrete flows of vectors."""

from __future__ import annotations

import keras
import numpy as np

from tfflows import bijectors as tb
from tfflows.bijectors.integer_additive import IntegerAdditive
from tfflows.checks import check_seed
from tfflows.models.discrete.columns import IntegerColumns
from tfflows.models.discrete.integer import IntegerFlow, check_arguments, check_counts
from tfflows.models.discrete.priors import LearnedPrior, NetworkPrior
from tfflows.models.flows.family import layer_seed
from tfflows.networks.quantized import IntegerMLP


@keras.saving.register_keras_serializable("tfflows")
class IntegerDiscreteFlow(IntegerColumns, IntegerFlow):
    """An integer discrete flow of vectors of integers.

    Couplings shift one half of the numbers, and then the other half, by a rounded function of the
    rest. Then half of the numbers become latents, each under a mixture of discretized logistics
    that depends on the others. Those go through couplings of their own, and so on until one number
    is left, whose mixture has learned parameters. All shifts start at zero.

    A number that a shift moves out of the range enters at the other end, so the probabilities of
    all vectors sum to 1.

    Args:
      dim: length of the vectors.
      levels: number of different integers of a column, 2 to 65,536; `set_least` says from which.
      layers: couplings before each split.
      width: hidden numbers of the networks.
      blocks: residual blocks of the networks.
      components: components of the mixtures.
      quantized: whether the networks compute with 8-bit integers; see
        `tfflows.networks.quantized`.
      seed: seed of initial weights, permutations and training noise.
      name: name of the model.

    Reference: Hoogeboom, Peters, van den Berg & Welling, Integer Discrete Flows and Lossless
    Compression, 2019. https://arxiv.org/abs/1905.07376
    """

    def __init__(
        self,
        dim: int,
        levels: int = 256,
        layers: int = 4,
        width: int = 64,
        blocks: int = 1,
        components: int = 8,
        quantized: bool = False,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
    ):
        seed = check_seed(seed)
        self._config = {
            "dim": int(dim),
            "levels": levels,
            "layers": layers,
            "width": width,
            "blocks": blocks,
            "components": components,
            "quantized": quantized,
            "seed": seed,
        }
        check_arguments(type(self), self._config)
        levels, quantized = self._config["levels"], self._config["quantized"]
        check_counts(dim=dim, layers=layers, components=components)
        key, shift = 1000 * layer_seed(seed), IntegerAdditive(levels)

        def network(salt):
            return lambda outputs: IntegerMLP(
                outputs, levels, width, blocks, quantized, seed=key + salt
            )

        maps, priors, sizes, size, index = [], [], [], int(dim), 0
        while size > 1:
            order = tb.Permutation(np.random.RandomState(key + index).permutation(size))
            stack = [order]
            for layer in range(layers):
                mask = (np.arange(size) % 2 == 0) ^ (layer % 2 == 1)
                stack.append(tb.Coupling(mask, shift, network(index), name=f"coupling_{index}"))
                index += 1
            maps.append(tb.Chain(stack))
            sizes.append(size // 2)
            size -= size // 2
            made = NetworkPrior(
                *(levels, network(500 + len(priors)), (size,), sizes[-1], components, quantized),
                name=f"prior_{len(priors)}",
            )
            priors.append(made)
        maps.append(tb.Permutation([0]))
        priors.append(LearnedPrior(levels, (1,), components))
        super().__init__((int(dim),), levels, maps, priors, sizes, seed, name, trainable)

    def _more_variables(self):
        self.parts.least = self._new_least(self._config["dim"])

    def extra_signatures(self):
        """None: the tables of a codec are of priors with one component."""
        return {}

    def extra_files(self):
        """None; see `extra_signatures`."""
        return {}
