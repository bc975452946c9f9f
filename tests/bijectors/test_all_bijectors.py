"""Every bijector of the registry passes every check."""

import pytest

from tests.bijector_checks import CHECKS
from tests.bijector_registry import REGISTRY

# Couplings and autoregressions of elementwise maps, which also stand alone: by default some.
WRAPPED = {name for name in REGISTRY if name.startswith(("coupling_", "autoregressive_"))}
DEFAULT_WRAPPED = {
    *("coupling_additive", "coupling_spline_conditional", "autoregressive_affine"),
    *("autoregressive_affine_conditional", "autoregressive_spline"),
}
# Batches of any rank are the base class's work, and XLA takes long: by default one of each kind.
OF_EACH_KIND = {
    *("act_norm", "autoregressive_affine", "box_muller", "chain", "channel_coupling_affine"),
    *("context_affine", "convolution1x1_lu", "coupling_spline_conditional", "full_affine"),
    *("graph_elementwise", "halves"),
    *("householder", "lu_linear", "masked_coupling_channels", "permutation", "planar"),
    *("planar_conditional", "qr_linear", "radial", "squeeze_channel"),
}
FEW = ("batch_shapes", "compiled")
SLOW = {
    ("planar_conditional", "compiled"),
    *((name, c) for name in REGISTRY for c in FEW if name not in OF_EACH_KIND),
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
    assert {name for name, _ in SLOW} | DEFAULT_WRAPPED | OF_EACH_KIND <= set(REGISTRY)
