"""Every bijector of the registry passes every check."""

import pytest

from tests.bijector_checks import CHECKS
from tests.bijector_registry import REGISTRY

# XLA takes longest over a root search and over a solver.
COMPILED_SLOWLY = {
    *("elementwise_gaussian_mixture_cdf", "elementwise_gaussian_mixture_to_uniform"),
    *("continuous_conditional", "residual_conditional", "channel_coupling_attention"),
    *("continuous", "residual", "elementwise_logistic_mixture_cdf", "masked_coupling_mixture"),
    *("elementwise_monotonic_integral", "iaf", "multi_scale", "elementwise_quadratic_spline"),
    *("elementwise_cubic_spline", "marginals", "conditional_chain", "elementwise_sum_of_squares"),
    *("sylvester_orthogonal", "sylvester_householder", "elementwise_deep_sigmoidal", "recurrent"),
    *("recomputing_chain", "emerging_convolution", "elementwise_bounded_spline"),
    *("channel_coupling_attention_conditional", "elementwise_logistic_mixture_to_uniform"),
    *("masked_coupling_checkerboard", "periodic_convolution", "planar_conditional"),
    "elementwise_bounded_quadratic_spline",
}
# Couplings and autoregressions of elementwise maps, which also stand alone: by default some.
WRAPPED = {name for name in REGISTRY if name.startswith(("coupling_", "autoregressive_"))}
DEFAULT_WRAPPED = {
    *("coupling_additive", "coupling_spline_conditional", "autoregressive_affine"),
    *("autoregressive_affine_conditional", "autoregressive_spline"),
}
COMPILED_WRAPPED = {"coupling_spline_conditional", "autoregressive_affine"}
COMPILED_SLOWLY |= WRAPPED - COMPILED_WRAPPED
# Batches of any rank are the base class's work: by default of one of each kind.
MANY_BATCHES = {
    *("act_norm", "autoregressive_affine", "box_muller", "chain", "channel_coupling_affine"),
    *(
        "context_affine",
        "convolution1x1_lu",
        "coupling_spline_conditional",
        "full_affine",
        "halves",
    ),
    *("householder", "lu_linear", "masked_coupling_channels", "permutation", "planar"),
    *("planar_conditional", "qr_linear", "radial", "squeeze_channel"),
}
SLOW = {(name, "compiled") for name in COMPILED_SLOWLY} | {
    *((name, "batch_shapes") for name in REGISTRY if name not in MANY_BATCHES),
    *((name, check) for name in WRAPPED - DEFAULT_WRAPPED for check in CHECKS),
    ("continuous_conditional", "log_det"),
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
    assert {name for name, _ in SLOW} | DEFAULT_WRAPPED | MANY_BATCHES <= set(REGISTRY)
    assert COMPILED_WRAPPED <= DEFAULT_WRAPPED
