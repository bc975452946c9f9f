"""The registry of bijectors that must pass `tests/bijector_checks.py`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.bijector_checks import Case
from tfflows import bijectors as tb
from tfflows import networks

SIZE, CONTEXT = 5, 3
MAPS = {
    "additive": tb.Additive(),
    "affine": tb.Affine(),
    "spline": tb.RationalQuadraticSpline(bins=5),
    "gaussian_mixture_cdf": tb.MixtureCDF(4, "normal", "normal"),
    "logistic_mixture_cdf": tb.MixtureCDF(4, "logistic", "logistic"),
}
_UNIT_MAPS = {
    "gaussian_mixture_to_uniform": tb.MixtureCDF(4, "normal", "uniform"),
    "logistic_mixture_to_uniform": tb.MixtureCDF(4, "logistic", "uniform"),
}


def _mlp(dtype, residual=False):
    network = networks.ResidualMLP if residual else networks.MLP
    return lambda outputs: network(outputs, (8, 8), activation="tanh", dtype=dtype)


def _coupling(map, residual=False, context=None):
    mask = [True, False, True, False, True]
    return lambda dtype: tb.Coupling(mask, map, _mlp(dtype, residual), context)


def _autoregressive(map, residual=False, context=None):
    def build(dtype):
        def network(params):
            return networks.AutoregressiveNetwork(
                params,
                SIZE,
                (12, 12),
                activation="tanh",
                residual=residual,
                conditional_event_shape=context,
                dtype=dtype,
            )

        return tb.MaskedAutoregressive(SIZE, map, network, context)

    return build


def _act_norm(dtype):
    norm = tb.ActNorm(SIZE, dtype)
    norm.initialize_from(tf.constant(np.random.default_rng(5).normal(2, 3, (50, SIZE)), dtype))
    return norm


def _standardize(dtype):
    bijector = tb.Standardize(SIZE, dtype)
    bijector.set_statistics(np.arange(SIZE) - 2.0, np.arange(SIZE) + 0.5)
    return bijector


def _registry() -> dict[str, Case]:
    cases = {
        "act_norm": Case(_act_norm),
        "standardize": Case(_standardize),
        "full_affine": Case(lambda dtype: tb.FullAffine(SIZE, dtype)),
        "lu_linear": Case(lambda dtype: tb.LULinear(SIZE, dtype)),
        "permutation": Case(lambda dtype: tb.random_permutation(SIZE, 3)),
        "reversal": Case(lambda dtype: tb.reversal(SIZE)),
        "chain": Case(
            lambda dtype: tb.Chain(
                [_act_norm(dtype), tb.reversal(SIZE), _coupling(MAPS["affine"])(dtype)]
            )
        ),
        "iaf": Case(
            lambda dtype: tb.Invert(_autoregressive(MAPS["affine"])(dtype)),
            extremes=(1e-30, 1e-4, 3.0, 20.0),
        ),
        "conditional_chain": Case(
            lambda dtype: tb.Chain(
                [
                    _coupling(MAPS["affine"], context=(CONTEXT,))(dtype),
                    tb.reversal(SIZE),
                    tb.Invert(_autoregressive(MAPS["affine"], context=(CONTEXT,))(dtype)),
                ]
            ),
            context_shape=(CONTEXT,),
            extremes=(1e-30, 1e-4, 3.0, 20.0),
        ),
    }
    for name, map in {**MAPS, **_UNIT_MAPS}.items():
        # Data far outside of a mixture have latents that round to 0 or 1: no way back.
        latents = "unit" if name in _UNIT_MAPS else "real"
        cases[f"elementwise_{name}"] = Case(
            lambda dtype, map=map: tb.Elementwise(map, SIZE, dtype), latents=latents
        )
        cases[f"autoregressive_{name}"] = Case(_autoregressive(map), latents=latents)
        if latents == "real":
            cases[f"coupling_{name}"] = Case(_coupling(map))
    for kind, make in (("coupling", _coupling), ("autoregressive", _autoregressive)):
        cases[f"{kind}_residual"] = Case(make(MAPS["affine"], residual=True))
        for name in ("affine", "spline"):
            cases[f"{kind}_{name}_conditional"] = Case(
                make(MAPS[name], context=(CONTEXT,)), context_shape=(CONTEXT,)
            )
        cases[f"{kind}_residual_conditional"] = Case(
            make(MAPS["affine"], residual=True, context=(CONTEXT,)), context_shape=(CONTEXT,)
        )
    return cases


REGISTRY = _registry()
