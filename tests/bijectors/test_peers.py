"""The same numbers as other libraries' maps, where they are installed (extra `bench`)."""

import numpy as np
import pytest
import tensorflow as tf

from tfflows import bijectors as tb


def test_rational_quadratic_spline_of_nflows():
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("nflows.transforms.splines.rational_quadratic")
    rng = np.random.default_rng(0)
    raw, y = rng.normal(size=(6, 5, 23)), rng.normal(size=(6, 5)) * 2.5
    spline = tb.RationalQuadraticSpline(bins=8, bound=3.0)(tf.constant(raw))
    # Ours are shifted, so that zero is a slope of 1.
    shift = np.concatenate([np.zeros(16), np.full(7, np.log(np.expm1(1 - 1e-3)))])
    widths, heights, slopes = (
        torch.tensor(part) for part in np.split(raw + shift, [8, 16], axis=-1)
    )
    for inverse, joint in ((False, spline.forward_and_log_det), (True, spline.inverse_and_log_det)):
        value, log_det = peer.unconstrained_rational_quadratic_spline(
            torch.tensor(y),
            widths,
            heights,
            slopes,
            inverse=inverse,
            tails="linear",
            tail_bound=3.0,
            min_bin_width=1e-3,
            min_bin_height=1e-3,
            min_derivative=1e-3,
        )
        ours = joint(tf.constant(y))
        np.testing.assert_allclose(ours[0], value.numpy(), atol=1e-6)
        np.testing.assert_allclose(ours[1], log_det.numpy(), atol=1e-5)
