"""Neural spline flows."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows import distributions
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import Conditioned

_SPLINES = {
    "rational_quadratic": tb.RationalQuadraticSpline,
    "linear": tb.LinearSpline,
    "quadratic": tb.QuadraticSpline,
    "cubic": tb.CubicSpline,
}


@keras.saving.register_keras_serializable("tfflows")
class NSF(Family):
    """Neural spline flow: monotonic splines, by coupling or autoregression.

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
      spline: rational_quadratic, linear, quadratic or cubic.
      tails: `"identity"` outside of [-bound, bound]; or `"bounded"`: each spline maps [0, 1] onto
        itself, for data in the unit cube and a base on it (uniform unless given). Bounded splines
        do not allow actnorm or lu, which leave the cube.
      **kwargs: those of `Family`.

    References: Durkan, Bekasov, Murray & Papamakarios, Neural Spline Flows, 2019.
    https://arxiv.org/abs/1906.04032; for the other splines: Mueller et al., Neural Importance
    Sampling, 2018. https://arxiv.org/abs/1808.03856; Durkan et al., Cubic-Spline Flows, 2019.
    https://arxiv.org/abs/1906.02145
    """

    def __init__(self, dim, base=None, tails="identity", **kwargs):
        if tails == "bounded":
            base = base or "uniform"
            if distributions.get(base).name == "normal":
                raise ValueError("base: bounded splines need uniform or beta(a,b), got normal")
            if kwargs.get("marginals"):
                raise ValueError(
                    "marginals: expected 0 for bounded splines, because marginals leave the "
                    "unit cube"
                )
        super().__init__(dim, base=base, tails=tails, **kwargs)

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
        spline="rational_quadratic",
        tails="identity",
    ):
        """See `Family`."""
        if spline not in _SPLINES:
            raise ValueError(f"spline: expected one of {', '.join(_SPLINES)}, got {spline!r}")
        if tails == "bounded" and (actnorm or linear == "lu"):
            leaves = "actnorm" if actnorm else "linear"
            raise ValueError(
                f"{leaves}: bounded splines take no actnorm and no lu, because both leave the "
                "unit cube"
            )
        map = _SPLINES[spline](bins, bound, tails=tails)
        conditioned = Conditioned(
            dim, context_dim, seed, autoregressive, hidden_units, residual, dropout
        )
        return conditioned.stack(map, layers, linear, actnorm)
