"""The base class of families of flows of vectors."""

from __future__ import annotations

from tfflows import bijectors as tb
from tfflows import distributions
from tfflows.checks import check_seed
from tfflows.models.cells import Dequantized
from tfflows.models.flows.family import FlowFamily, check_precision, dtype_policy, layer_seed
from tfflows.models.flows.flow import Flow


class Family(FlowFamily, Dequantized, Flow):
    """A flow of vectors built from plain values, which are its config.

    A subclass defines `layers_of(...)`, which maps its own constructor arguments to the list of
    bijectors, nearest to the data first; this class does the rest.

    Args:
      dim: length of the data vector.
      base: base distribution of each latent; see `Flow`.
      context_dim: length of the context vector, or `None`.
      standardize: put the data's mean and standard deviation into the model; see
        `Flow.set_standardization`.
      dequantize: add noise to repeated numbers, and give them a probability instead of a density;
        see `Dequantized.set_cells`.
      marginals: bins of the splines that first make each number normal on its own; 0 for none. See
        `tfflows.bijectors.Marginals`.
      seed: seed of initial weights, permutations and training noise.
      name: name of the model.
      precision: Keras dtype policy of the conditioners; the global one by default. It is part of
        the config, so that a saved model computes the same when loaded.
      **arguments: those of `layers_of`.

    Raises:
      ValueError: for an argument that the family does not have, or one that is out of range.
    """

    def __init__(
        self,
        dim: int,
        base: str | None = None,
        context_dim: int | None = None,
        standardize: bool = False,
        dequantize: bool = False,
        marginals: int = 0,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
        precision: str | None = None,
        **arguments,
    ):
        if int(dim) < 1:
            raise ValueError(f"dim: expected at least 1, got {dim}")
        self._check_known(arguments)
        seed = check_seed(seed)
        config = {
            "dim": int(dim),
            "base": base,
            "context_dim": context_dim,
            "standardize": standardize,
            "dequantize": dequantize,
            "marginals": int(marginals),
            "seed": seed,
            "precision": check_precision(precision),
            **arguments,
        }
        if isinstance(base, distributions.Base):
            config["base"] = base.name
        with dtype_policy(config["precision"]):
            layers = self.layers_of(dim, context_dim, layer_seed(seed), **arguments)
            if marginals:
                layers = [tb.Marginals(dim, int(marginals)), *layers]
            if standardize:
                layers = [tb.Standardize(dim), *layers]
            super().__init__(
                tb.Chain(layers),
                event_shape=[dim],
                base=self.default_base if base is None else base,
                seed=seed,
                name=name,
                trainable=trainable,
            )
        self._make_cells(dim, dequantize)
        self._config = config

    @classmethod
    def event_arguments(cls, event_shape):
        """The constructor arguments that set the shape of one datum."""
        return {"dim": event_shape[0]}

    def _initialize(self, x, context):
        super()._initialize(
            x if self._noise_cells is None else self._with_numbered_noise(x), context
        )

    def encode_fn(self, x, context=None):
        """Data to latents, as a graph function; numbers that have a cell get noise first."""
        # Stay clear of the next cell, so that float32 decodes what was encoded.
        noisy = x if self._noise_cells is None else self._with_own_noise(x, 0.9)
        return super().encode_fn(noisy, context)

    def decode_fn(self, z, context=None):
        """Latents to data, as a graph function."""
        x = super().decode_fn(z, context)
        return x if self._noise_cells is None else self._on_grid(x)
