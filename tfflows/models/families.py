"""Named families: flows that a few plain values describe, and that Keras can save whole."""

from __future__ import annotations

import contextlib
import inspect

import keras
import numpy as np

from tfflows import bijectors as tb
from tfflows import distributions
from tfflows.models.flow import Flow
from tfflows.networks import MLP, AutoregressiveNetwork, ResidualMLP


class Family(Flow):
    """A flow built from plain values, which are its config.

    A subclass defines `layers_of(...)`, from its own constructor arguments to the list of
    bijectors, nearest to the data first; the rest is here.

    Args:
      dim: length of the data vector.
      base: base distribution of each latent; see `Flow`.
      context_dim: length of the context vector, or `None`.
      standardize: put the data's mean and standard deviation into the model; see
        `Flow.set_standardization`.
      seed: seed of initial weights, permutations and training noise.
      name: name of the model.
      precision: Keras dtype policy of the conditioners; the global one by default. It is part of
        the config, so that a saved model computes what it computed.
      **arguments: those of `layers_of`.

    Raises:
      ValueError: for an argument that the family does not have, or one out of its range.
    """

    default_base = "normal"
    _check_variables = False  # the families' bijectors are the project's own

    def __init__(
        self,
        dim: int,
        base: str | None = None,
        context_dim: int | None = None,
        standardize: bool = False,
        seed: int = 0,
        name: str | None = None,
        trainable: bool = True,
        precision: str | None = None,
        **arguments,
    ):
        if int(dim) < 1:
            raise ValueError(f"dim: expected at least 1, got {dim}")
        known = [p for p in inspect.signature(self.layers_of).parameters][3:]
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise ValueError(
                f"{unknown[0]}: {type(self).__name__} has no such argument; "
                f"it has {', '.join(known)}"
            )
        config = {
            "dim": int(dim),
            "base": base,
            "context_dim": context_dim,
            "standardize": standardize,
            "seed": int(seed),
            "precision": precision or keras.config.dtype_policy().name,
            **arguments,
        }
        if isinstance(base, distributions.Base):
            config["base"] = base.name
        with _dtype_policy(config["precision"]):
            layers = self.layers_of(dim, context_dim, seed, **arguments)
        if standardize:
            layers = [tb.Standardize(dim), *layers]
        super().__init__(
            tb.Chain(layers),
            event_shape=[dim],
            base=base or self.default_base,
            seed=seed,
            name=name,
            trainable=trainable,
        )
        self._config = config

    @staticmethod
    def layers_of(dim, context_dim, seed, **arguments) -> list:
        """The bijectors of the family, nearest to the data first."""
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**self._config, "name": self.name}


@contextlib.contextmanager
def _dtype_policy(name: str):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def _context_shape(context_dim):
    return None if context_dim is None else (int(context_dim),)


def _mixers(dim: int, linear: str, seed: int) -> list:
    """What mixes dimensions between two layers."""
    if dim == 1 or linear == "none":
        return []
    if linear == "reverse":
        return [tb.reversal(dim)]
    if linear == "permute":
        return [tb.random_permutation(dim, seed)]
    if linear == "lu":
        return [tb.random_permutation(dim, seed), tb.LULinear(dim)]
    raise ValueError(f"linear: expected none, reverse, permute or lu, got {linear!r}")


def _stack(dim, layers, linear, actnorm, seed, layer) -> list:
    """`layers` times: ActNorm, a mixer, `layer(index)`."""
    if layers < 1:
        raise ValueError(f"layers: expected at least 1, got {layers}")
    stack = []
    for index in range(layers):
        stack += [tb.ActNorm(dim)] if actnorm else []
        stack += _mixers(dim, linear, seed * 1000 + index)
        stack.append(layer(index))
    return stack


def _mask(dim: int, index: int) -> np.ndarray:
    """Alternating halves: even positions kept by even layers, odd by odd ones."""
    if dim < 2:
        raise ValueError(f"dim: a coupling needs at least 2, got {dim}")
    return np.arange(dim) % 2 == index % 2


def _coupling(dim, index, map, hidden_units, residual, dropout, context_dim, seed):
    network = ResidualMLP if residual else MLP
    return tb.Coupling(
        _mask(dim, index),
        map,
        lambda outputs: network(outputs, hidden_units, dropout=dropout, seed=seed * 1000 + index),
        context_shape=_context_shape(context_dim),
        name=f"coupling_{index}",
    )


def _autoregressive(
    dim, index, map, hidden_units, residual, dropout, context_dim, seed, activation="relu"
):
    return tb.MaskedAutoregressive(
        dim,
        map,
        lambda params: AutoregressiveNetwork(
            params,
            dim,
            hidden_units,
            activation=activation,
            residual=residual,
            dropout=dropout,
            conditional_event_shape=_context_shape(context_dim),
            seed=seed * 1000 + index,
            name=f"made_{index}",
        ),
        context_shape=_context_shape(context_dim),
        name=f"autoregressive_{index}",
    )


def _no_context(context_dim):
    if context_dim is not None:
        raise ValueError(f"context_dim: the family takes no context, got {context_dim}")


@keras.saving.register_keras_serializable("tfflows")
class MixtureCDFFlow(Family):
    """Each dimension through the CDF of a mixture of its own, independently of the others.

    Latents follow `base`: uniform and Beta take the CDF itself, a normal base its normal quantile.

    Args:
      components: number of mixture components.
      component: `"normal"` or `"logistic"`.
      **kwargs: those of `Family`.
    """

    default_base = "uniform"

    def __init__(self, dim=1, components=5, component="normal", base="uniform", **kwargs):
        target = "normal" if base == "normal" else "uniform"
        super().__init__(
            dim, base=base, components=components, component=component, target=target, **kwargs
        )
        del self._config["target"]

    @staticmethod
    def layers_of(dim, context_dim, seed, components, component, target):
        """See `Family`."""
        _no_context(context_dim)
        return [tb.Elementwise(tb.MixtureCDF(components, component, target), dim)]


@keras.saving.register_keras_serializable("tfflows")
class AutoregressiveMixture(Family):
    """Each dimension a mixture of Gaussians whose parameters the dimensions before it decide.

    The latents are the conditional CDFs, uniform on [0, 1]: for two dimensions with five
    components, the two-dimensional autoregressive flow of the textbooks.

    Args:
      components: number of mixture components.
      component: `"normal"` or `"logistic"`.
      hidden_units: hidden layers of the masked network.
      **kwargs: those of `Family`.
    """

    default_base = "uniform"

    @staticmethod
    def layers_of(
        dim, context_dim, seed, components=5, component="normal", hidden_units=(128, 128)
    ):
        """See `Family`."""
        map = tb.MixtureCDF(components, component, target="uniform")
        return [_autoregressive(dim, 0, map, hidden_units, False, 0.0, context_dim, seed)]


@keras.saving.register_keras_serializable("tfflows")
class AffineFlow(Family):
    """One affine map with a full matrix: a multivariate Gaussian, for a normal base.

    Args:
      **kwargs: those of `Family`.
    """

    @staticmethod
    def layers_of(dim, context_dim, seed):
        """See `Family`."""
        _no_context(context_dim)
        return [tb.FullAffine(dim)]


@keras.saving.register_keras_serializable("tfflows")
class LUFlow(Family):
    """Linear flow by LU factors, with a permutation: O(d^2) either way, O(d) log-determinant.

    Args:
      **kwargs: those of `Family`.
    """

    @staticmethod
    def layers_of(dim, context_dim, seed):
        """See `Family`."""
        _no_context(context_dim)
        return [*_mixers(dim, "permute", seed), tb.LULinear(dim)]


@keras.saving.register_keras_serializable("tfflows")
class RealNVP(Family):
    """Affine couplings with alternating masks.

    Args:
      layers: number of couplings.
      hidden_units: hidden layers of each conditioner.
      bound: log-scales stay within +-bound.
      actnorm: an ActNorm before each coupling.
      linear: what mixes dimensions before each coupling: none, reverse, permute or lu.
      residual: residual conditioners.
      dropout: rate of dropout in the conditioners during training.
      **kwargs: those of `Family`.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016.
    https://arxiv.org/abs/1605.08803
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=8,
        hidden_units=(128, 128),
        bound=5.0,
        actnorm=True,
        linear="none",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""

        def layer(index):
            return _coupling(
                dim, index, tb.Affine(bound), hidden_units, residual, dropout, context_dim, seed
            )

        return _stack(dim, layers, linear, actnorm, seed, layer)


@keras.saving.register_keras_serializable("tfflows")
class MAF(Family):
    """Masked autoregressive flow: affine autoregressive layers.

    Args:
      layers: number of autoregressive layers.
      hidden_units: hidden layers (or residual blocks) of each masked network.
      activation: of the masked networks.
      bound: log-scales stay within +-bound.
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      residual: residual masked networks.
      dropout: rate of dropout in the networks during training.
      **kwargs: those of `Family`.

    Reference: Papamakarios, Pavlakou & Murray, 2017. https://arxiv.org/abs/1705.07057
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=5,
        hidden_units=(128, 128),
        activation="relu",
        bound=5.0,
        actnorm=True,
        linear="reverse",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""

        def layer(index):
            map, context = tb.Affine(bound), context_dim
            return _autoregressive(
                dim, index, map, hidden_units, residual, dropout, context, seed, activation
            )

        return _stack(dim, layers, linear, actnorm, seed, layer)


@keras.saving.register_keras_serializable("tfflows")
class IAF(Family):
    """Inverse autoregressive flow: sampling is one pass a layer, scoring of given data `dim`.

    Args:
      layers: number of autoregressive layers.
      hidden_units: hidden layers of each masked network.
      activation: of the masked networks.
      bound: log-scales stay within +-bound.
      **kwargs: those of `Family`.

    Reference: Kingma et al., 2016. https://arxiv.org/abs/1606.04934
    """

    @staticmethod
    def layers_of(
        dim, context_dim, seed, layers=5, hidden_units=(128, 128), activation="tanh", bound=5.0
    ):
        """See `Family`."""

        def layer(index):
            map, context = tb.Affine(bound), context_dim
            return tb.Invert(
                _autoregressive(
                    dim, index, map, hidden_units, False, 0.0, context, seed, activation
                )
            )

        return _stack(dim, layers, "reverse", False, seed, layer)


@keras.saving.register_keras_serializable("tfflows")
class NSF(Family):
    """Neural spline flow: rational-quadratic splines, by coupling or autoregression.

    Args:
      layers: number of layers.
      autoregressive: masked autoregression in place of coupling.
      hidden_units: hidden layers (or residual blocks) of each network.
      bins: bins of each spline.
      bound: the splines act on [-bound, bound].
      actnorm: an ActNorm before each layer.
      linear: what mixes dimensions before each layer: none, reverse, permute or lu.
      residual: residual networks.
      dropout: rate of dropout in the networks during training.
      **kwargs: those of `Family`.

    Reference: Durkan, Bekasov, Murray & Papamakarios, 2019. https://arxiv.org/abs/1906.04032
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=5,
        autoregressive=False,
        hidden_units=(128, 128),
        bins=8,
        bound=3.0,
        actnorm=False,
        linear="none",
        residual=False,
        dropout=0.0,
    ):
        """See `Family`."""
        make = _autoregressive if autoregressive else _coupling
        map = tb.RationalQuadraticSpline(bins, bound)

        def layer(index):
            return make(dim, index, map, hidden_units, residual, dropout, context_dim, seed)

        return _stack(dim, layers, linear, actnorm, seed, layer)
