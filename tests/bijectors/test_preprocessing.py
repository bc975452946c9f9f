"""The logit beyond its range."""

import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb


def test_data_outside_of_the_range_have_log_density_minus_infinity():
    logit = tb.Logit(levels=256, margin=0.05)
    ends = np.array([0.0, 256.0]) + 256 * 0.05 / 0.9 * np.array([-1.0, 1.0])
    y = tf.constant([0.0, 256.0, ends[0] - 0.1, ends[1] + 0.1, np.nan], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(y)
        x, log_det = logit.inverse_and_log_det(y)
        total = tf.reduce_sum(tf.where(tf.math.is_finite(log_det), log_det + x, 0.0))
    assert np.isfinite(log_det[:2]).all() and (log_det[2:4].numpy() == -np.inf).all()
    assert np.isnan(log_det[4])
    assert np.isfinite(tape.gradient(total, y)[:4]).all()
