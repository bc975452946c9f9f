"""Every bijector of the registry passes every check."""

import pytest

from tests.bijector_checks import CHECKS
from tests.bijector_registry import REGISTRY

# XLA takes longest over a root search in each step of an autoregression, and over a solver.
COMPILED_SLOWLY = {
    *("autoregressive_gaussian_mixture_cdf", "autoregressive_gaussian_mixture_to_uniform"),
    *("autoregressive_logistic_mixture_cdf", "autoregressive_logistic_mixture_to_uniform"),
    *("elementwise_gaussian_mixture_cdf", "elementwise_gaussian_mixture_to_uniform"),
    *("coupling_gaussian_mixture_cdf", "autoregressive_residual_conditional"),
    *("autoregressive_monotonic_integral", "autoregressive_spline_conditional"),
    *("continuous_conditional", "residual_conditional", "channel_coupling_attention"),
}
# Elementwise maps are compiled by default, and of what wraps them, these.
COMPILED_WRAPPED = {
    *("coupling_spline", "coupling_spline_conditional"),
    *("autoregressive_affine", "autoregressive_affine_conditional"),
}
COMPILED_SLOWLY |= {
    name
    for name in REGISTRY
    if name.startswith(("coupling_", "autoregressive_")) and name not in COMPILED_WRAPPED
}
# Batches of any rank are the base class's work: of what wraps the elementwise maps, these do.
MANY_BATCHES = {
    name
    for name in REGISTRY
    if not name.startswith(("coupling_", "autoregressive_", "elementwise_"))
    or name in COMPILED_WRAPPED
}
SLOW = {(name, "compiled") for name in COMPILED_SLOWLY} | {
    *((name, "batch_shapes") for name in REGISTRY if name not in MANY_BATCHES),
    ("autoregressive_gaussian_mixture_cdf", "log_det"),
    ("autoregressive_gaussian_mixture_to_uniform", "log_det"),
}


@pytest.mark.parametrize(
    ("name", "check"),
    [
        pytest.param(name, check, marks=[pytest.mark.slow] if (name, check) in SLOW else [])
        for name in REGISTRY
        for check in CHECKS
    ],
)
def test_bijector(name, check):
    CHECKS[check](REGISTRY[name])


def test_what_is_slow_is_there():
    assert {name for name, _ in SLOW} | COMPILED_WRAPPED <= set(REGISTRY)
