"""Flows of low-rank maps: planar, radial, Sylvester, and products of Householder reflections."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.flows.family import no_context
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import stack


def directed(bijector, direction: str):
    """Turns `bijector`, in closed form from latent to data, to be so in the given direction."""
    if direction not in ("density", "sampling"):
        raise ValueError(f"direction: expected density or sampling, got {direction!r}")
    return bijector if direction == "sampling" else tb.Invert(bijector)


@keras.saving.register_keras_serializable("tfflows")
class PlanarFlow(Family):
    """Planar layers.

    Args:
      layers: number of planar maps.
      direction: which way each map is in closed form: `density` (data to latent, for training on
        data) or `sampling` (latent to data, for training on a target density). The other way is
        a root search.
      actnorm: an ActNorm before each layer, set from data; not for a target density.
      **kwargs: those of `Family`. A context sets each map's parameters, through a linear layer.

    Reference: Rezende & Mohamed, Variational Inference with Normalizing Flows, 2015.
    https://arxiv.org/abs/1505.05770
    """

    @staticmethod
    def layers_of(dim, context_dim, seed, layers=16, direction="density", actnorm=True):
        """See `Family`."""
        context = None if context_dim is None else (int(context_dim),)

        def layer(index):
            planar = tb.Planar(dim, context, seed=seed * 1000 + index, name=f"planar_{index}")
            return directed(planar, direction)

        return stack(dim, layers, "none", actnorm, seed, layer)


@keras.saving.register_keras_serializable("tfflows")
class RadialFlow(Family):
    """Radial layers, in closed form both ways.

    Args:
      layers: number of radial maps.
      direction: the direction in which each map has the paper's formula: `density` (data to latent)
        or `sampling` (latent to data).
      actnorm: an ActNorm before each layer, set from data; not for a target density.
      **kwargs: those of `Family`.

    Reference: Rezende & Mohamed, Variational Inference with Normalizing Flows, 2015.
    https://arxiv.org/abs/1505.05770
    """

    @staticmethod
    def layers_of(dim, context_dim, seed, layers=16, direction="density", actnorm=True):
        """See `Family`."""
        no_context(context_dim)

        def layer(index):
            radial = tb.Radial(dim, seed=seed * 1000 + index, name=f"radial_{index}")
            return directed(radial, direction)

        return stack(dim, layers, "none", actnorm, seed, layer)


@keras.saving.register_keras_serializable("tfflows")
class SylvesterFlow(Family):
    """Sylvester layers.

    Args:
      layers: number of Sylvester maps.
      form: `orthogonal`, `householder`, or `triangular` (which reverses every other layer).
      columns: ridges per layer, in the orthogonal form; 0 for `dim`.
      reflections: number of reflections, in the Householder form; 0 for `dim`.
      direction: which way each map is in closed form: `density` (data to latent, for training on
        data) or `sampling` (latent to data, for training on a target density). The other way is
        a root search.
      actnorm: an ActNorm before each layer, set from data; not for a target density.
      **kwargs: those of `Family`.

    Reference: van den Berg, Hasenclever, Tomczak & Welling, Sylvester Normalizing Flows for
    Variational Inference, 2018. https://arxiv.org/abs/1803.05649
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=16,
        form="orthogonal",
        columns=0,
        reflections=0,
        direction="density",
        actnorm=True,
    ):
        """See `Family`."""
        no_context(context_dim)

        def layer(index):
            sylvester = tb.Sylvester(
                dim,
                columns or None,
                form,
                reflections or None,
                reverse=form == "triangular" and index % 2 == 1,
                seed=seed * 1000 + index,
                name=f"sylvester_{index}",
            )
            return directed(sylvester, direction)

        return stack(dim, layers, "none", actnorm, seed, layer)


@keras.saving.register_keras_serializable("tfflows")
class HouseholderFlow(Family):
    """Trained rotations, each followed by one spline per dimension.

    A product of reflections alone preserves volume and leaves a normal base unchanged. Between
    rotations, a separate spline for each dimension makes the projections Gaussian.

    Args:
      layers: number of rotations.
      reflections: Householder reflections per rotation; 0 for `dim`.
      bins: bins of each spline.
      bound: the splines act on [-bound, bound].
      actnorm: an ActNorm before each layer, set from data; not for a target density.
      **kwargs: those of `Family`.

    References: Tomczak & Welling, Improving Variational Auto-Encoders using Householder Flow, 2016.
    https://arxiv.org/abs/1611.09630; Meng, Song, Song & Ermon, Gaussianization Flows, 2020.
    https://arxiv.org/abs/2003.01941
    """

    @staticmethod
    def layers_of(dim, context_dim, seed, layers=8, reflections=0, bins=8, bound=3.0, actnorm=True):
        """See `Family`."""
        no_context(context_dim)
        map = tb.RationalQuadraticSpline(bins, bound)

        def layer(index):
            rotation = tb.Householder(
                dim, reflections or dim, seed=seed * 1000 + index, name=f"householder_{index}"
            )
            return tb.Chain([rotation, tb.Elementwise(map, dim, name=f"splines_{index}")])

        return stack(dim, layers, "none", actnorm, seed, layer)
